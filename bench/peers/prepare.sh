# What the commands of list.txt use. Sourced before each of them.
PYTHON=target/bench/python/bin/python3
CLASSES=target/bench/java
locked() {
  for name; do sed -n "/^name = \"$name\"$/{n;s/version = \"\(.*\)\"/$name \1/p;}" bench/Cargo.lock; done | paste -s -d , - | sed 's/,/, /g'
}
# A Python environment and the Java client are made once, where that can be done.
if [ "${1-}" = make ]; then
  if [ ! -x "$PYTHON" ] && python3 -m venv target/bench/python; then
    "$PYTHON" -m pip install --quiet --disable-pip-version-check requests==2.32.5 httpx==0.28.1
  fi
  javac -d "$CLASSES" bench/peers/Upload.java
fi
