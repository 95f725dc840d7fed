"""Compares ten uploads of 18 MB by `flinks` and by the guide's Python flow, side by side.

    python3 crates/flinks-cli/benches/uploads.py target/release/flinks

Both send to the same `flinks sandbox` in another process on loopback, alternating, five times each.
CPU (user + system) and peak memory come from GNU time, whose own memory is small: a child inherits
its parent's high-water mark. Needs Python's requests and GNU time, and says so when one is missing.
"""

import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = 5
FILES = 10


def skip(why):
    print(f"skipped: {why}")
    sys.exit(0)


def write_files(folder, size):
    paths = []
    os.makedirs(folder)
    for n in range(FILES):
        path = os.path.join(folder, f"{n}.pdf")
        with open(path, "wb") as file:
            file.write(b"%PDF-1.7\n" + os.urandom(size - 9))
        paths.append(path)
    return paths


def measure(command, env):
    """CPU seconds and peak memory in KiB of one command."""
    with tempfile.NamedTemporaryFile("r") as report:
        subprocess.run(
            ["/usr/bin/time", "-v", "-o", report.name, *command],
            env=env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        text = report.read()
    number = lambda label: float(re.search(re.escape(label) + r".*: ([\d.]+)", text).group(1))
    cpu = number("User time") + number("System time")
    return cpu, number("Maximum resident set size")


def settings(folder):
    env = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": folder}
    with open(os.path.join(folder, "env")) as file:
        for line in file:
            name, value = shlex.split(line)[1].split("=", 1)
            env[name] = value
    return env


def main(program):
    if not os.path.exists("/usr/bin/time"):
        skip("GNU time is missing (/usr/bin/time)")
    if subprocess.run([sys.executable, "-c", "import requests"], capture_output=True).returncode:
        skip("Python's requests is missing")
    with tempfile.TemporaryDirectory() as folder:
        large = write_files(os.path.join(folder, "large"), 18_000_000)
        limit = write_files(os.path.join(folder, "limit"), 18 << 20)
        small = write_files(os.path.join(folder, "small"), 1 << 10)
        sandbox = subprocess.Popen(
            [program, "sandbox", "--dir", folder, "--processing", "1"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            sandbox.stdout.readline()
            # The log must be read, or the sandbox would wait for its reader.
            drain = subprocess.Popen(["cat"], stdin=sandbox.stdout, stdout=subprocess.DEVNULL)
            env = settings(folder)
            flinks = [program, "upload", "--json"]
            python = [sys.executable, os.path.join(HERE, "guide_flow.py")]
            seen = {"flinks": [], "python": []}
            for _ in range(ROUNDS):
                seen["flinks"].append(measure([*flinks, *large], env))
                seen["python"].append(measure([*python, *large], env))
            tiny = [measure([*flinks, *small], env)[1] for _ in range(ROUNDS)]
            full = [measure([*flinks, *limit], env)[1] for _ in range(ROUNDS)]
        finally:
            sandbox.terminate()
            sandbox.wait()
            drain.wait()
    print(f"ten files of 18 MB, {ROUNDS} rounds, medians")
    for name, rows in seen.items():
        cpu, memory = (statistics.median(column) for column in zip(*rows))
        print(f"  {name:7} CPU {cpu:6.3f} s   peak {memory / 1024:7.1f} MiB")
    ratio = lambda at: statistics.median(
        ours[at] / theirs[at] for ours, theirs in zip(seen["flinks"], seen["python"])
    )
    print(f"  flinks / python: CPU {ratio(0):.3f}, peak memory {ratio(1):.3f}")
    tiny, full = statistics.median(tiny) / 1024, statistics.median(full) / 1024
    print(f"peak memory: ten files of 1 KiB {tiny:.2f} MiB, of 18 MiB {full:.2f} MiB")
    print(f"  difference {full - tiny:.2f} MiB")


if len(sys.argv) != 2:
    print(__doc__)
    sys.exit(2)
main(os.path.abspath(sys.argv[1]))
