#!/bin/sh
# The Upload guide's flow as curl calls, against `flinks sandbox`: what works and what must fail.
# Settings come from the sandbox's `env` file; arguments: two documents.
set -eu

fail() {
    echo "$1" >&2
    exit 1
}

# The value of a string field of a JSON object without spaces around its colons.
field() {
    tr -d ' \n' | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

over_mtls() {
    curl --silent --show-error --cacert "$FLINKS_CA" --cert "$FLINKS_CERT" --key "$FLINKS_KEY" "$@"
}

token() {
    "$@" --user "$FLINKS_CLIENT_ID:$FLINKS_CLIENT_SECRET" \
        --data grant_type=client_credentials --data scope=ocr.write \
        "$FLINKS_UPLOAD_URL/api/v1/token"
}

# call PATH BEARER BODY
call() {
    over_mtls --header "Authorization: Bearer $2" --header 'Content-Type: application/json' \
        --data "$3" "$FLINKS_UPLOAD_URL$1"
}

status_of_fraud() {
    curl --silent --output /dev/null --write-out '%{http_code}' --cacert "$FLINKS_CA" \
        --header "Authorization: Bearer $2" \
        "$FLINKS_API_URL/v3/$FLINKS_CUSTOMER_ID/upload/fraudanalysis/$1"
}

bearer=$(token over_mtls | field access_token)
[ -n "$bearer" ] || fail "no token"

one_file() {
    printf '{"FileName":"%s","Content":"%s"}' "$(basename "$1")" "$(base64 <"$1" | tr -d '\n')"
}
session=$(call /api/v1/upload "$bearer" "{\"Files\":[$(one_file "$1")]}" | field AggregationId)
[ -n "$session" ] || fail "no AggregationId"
again=$(call /api/v1/upload "$bearer" \
    "{\"AggregationId\":\"$session\",\"Files\":[$(one_file "$2")]}" | field AggregationId)
[ "$again" = "$session" ] || fail "another AggregationId: $again"
login=$(call /api/v1/upload/complete "$bearer" "{\"AggregationId\":\"$session\"}" | field Id)
[ -n "$login" ] || fail "no LoginId"

[ "$(status_of_fraud "$login" "$FLINKS_API_SECRET")" = 200 ] || fail "no analysis"
[ "$(status_of_fraud "$login" "$bearer")" = 401 ] || fail "the OAuth token opened the results host"

if token curl --silent --cacert "$FLINKS_CA" >/dev/null 2>&1; then
    fail "a call without the client certificate was answered"
fi
status=$(token curl --silent --output /dev/null --write-out '%{http_code}' --cacert "$FLINKS_CA" \
    --cert "$OTHER_CERT" --key "$OTHER_KEY")
[ "$status" = 403 ] || fail "a certificate of another authority: $status"
echo "guide: passed"
