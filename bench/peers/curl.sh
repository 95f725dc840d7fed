#!/bin/sh
# curl, one process per call: each body is written by base64 into a pipe, which curl reads whole before it sends.
set -eu
json() {
  curl --silent --fail --http1.1 --cacert "$FLINKS_CA" --cert "$FLINKS_CERT" --key "$FLINKS_KEY" \
    -H "Authorization: Bearer $token" -H "Content-Type: application/json" --data-binary @- \
    "$FLINKS_UPLOAD_URL/api/v1/$1"
}
value() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }

token=$(curl --silent --fail --http1.1 --cacert "$FLINKS_CA" --cert "$FLINKS_CERT" --key "$FLINKS_KEY" \
  -u "$FLINKS_CLIENT_ID:$FLINKS_CLIENT_SECRET" -d grant_type=client_credentials -d scope=ocr.write \
  "$FLINKS_UPLOAD_URL/api/v1/token" | value access_token)
session=
for path; do
  id=$({
    printf '{%s"Files":[{"FileName":"%s","Content":"' "$session" "${path##*/}"
    base64 -w 0 "$path"
    printf '"}]}'
  } | json upload | value AggregationId)
  session="\"AggregationId\":\"$id\","
done
printf '{"AggregationId":"%s"}' "$id" | json upload/complete >/dev/null
