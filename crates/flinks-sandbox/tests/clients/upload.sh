#!/usr/bin/env bash
# The Upload guide's requests by curl, against the sandbox: two files, analysis, accounts.
set -euo pipefail

fail() { echo "$1: $2" >&2; exit 1; }
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<<"$2" | head -n 1; }
mtls() {
  curl -sS --max-time 20 --cacert "$FLINKS_CA" --cert "$FLINKS_CERT" --key "$FLINKS_KEY" "$@"
}
file() { # FILE_NAME CONTENT
  printf '"Files": [{"FileName": "%s", "Content": "%s"}], "Tag": "optional-tag"' \
    "$1" "$(printf "$2" | base64 | tr -d '\n')"
}
upload() { # PATH JSON
  mtls "$FLINKS_UPLOAD_URL/api/v1/$1" -H "Authorization: Bearer $token" \
    -H "Content-Type: application/json" -d "$2"
}

answer=$(mtls "$FLINKS_UPLOAD_URL/api/v1/token" -u "$FLINKS_CLIENT_ID:$FLINKS_CLIENT_SECRET" \
  -d grant_type=client_credentials -d scope=ocr.write)
token=$(field access_token "$answer")
[ -n "$token" ] || fail "no token" "$answer"

answer=$(upload upload "{$(file january.pdf '%%PDF-1.4\nstartxref\n0\n%%%%EOF\n')}")
id=$(field AggregationId "$answer")
[ -n "$id" ] || fail "no AggregationId" "$answer"
marker='%%flinks-sandbox signal=DATE_EDITS page=1'
february=$(file february.pdf "%%PDF-1.4\n$marker\nstartxref\n0\n%%%%EOF\n")
answer=$(upload upload "{\"AggregationId\": \"$id\", $february}")
[ "$(field AggregationId "$answer")" = "$id" ] || fail "the second file" "$answer"
answer=$(upload upload/complete "{\"AggregationId\": \"$id\"}")
login_id=$(sed -n 's/.*"Id": *"\([^"]*\)".*/\1/p' <<<"$answer")
[ -n "$login_id" ] || fail "no Login.Id" "$answer"

api="$FLINKS_API_URL/v3/$FLINKS_CUSTOMER_ID"
for _ in {1..150}; do
  answer=$(curl -sS --max-time 20 --cacert "$FLINKS_CA" -H "Authorization: Bearer $FLINKS_API_SECRET" \
    "$api/upload/fraudanalysis/$login_id")
  [ "$(grep -o '"COMPLETED"' <<<"$answer" | wc -l)" -lt 2 ] || break
  sleep 0.1
done
types=$(grep -o '"Type": *"[^"]*"' <<<"$answer" || true)
[[ $types =~ ^\"Type\":\ *\"DATE_EDITS\"$ ]] || fail "not one DATE_EDITS" "$answer"

banking() { # ENDPOINT JSON
  curl -sS --max-time 20 --cacert "$FLINKS_CA" "$api/BankingServices/$1" \
    -H 'content-type: application/json' -d "$2"
}
answer=$(banking Authorize "{\"LoginId\": \"$login_id\", \"MostRecentCached\": true}")
request_id=$(field RequestId "$answer")
answer=$(banking GetAccountsDetail "{\"RequestId\": \"$request_id\"}")
grep -q '"Transactions": *\[{' <<<"$answer" || fail "no transactions" "$answer"
