"""The Upload guide's own Python flow, against `flinks sandbox`: what works there and what must fail.

Settings come from the sandbox's `env` file; arguments: two documents.
"""

import base64
import os
import sys
import time

import requests

UPLOAD = os.environ["FLINKS_UPLOAD_URL"]
RESULTS = os.environ["FLINKS_API_URL"]
CA = os.environ["FLINKS_CA"]
PAIR = (os.environ["FLINKS_CERT"], os.environ["FLINKS_KEY"])
OTHER_PAIR = (os.environ["OTHER_CERT"], os.environ["OTHER_KEY"])


def token(pair=PAIR):
    secret = f"{os.environ['FLINKS_CLIENT_ID']}:{os.environ['FLINKS_CLIENT_SECRET']}"
    return requests.post(
        f"{UPLOAD}/api/v1/token",
        headers={
            "Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        data={"grant_type": "client_credentials", "scope": "ocr.write"},
        cert=pair,
        verify=CA,
    )


def call(path, bearer, payload, pair=PAIR):
    return requests.post(
        f"{UPLOAD}{path}",
        headers={"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"},
        json=payload,
        cert=pair,
        verify=CA,
    )


def fresh_call(path, payload):
    """The guide: "Request a new token from the token endpoint and retry." """
    return call(path, token().json()["access_token"], payload)


def fraud(login_id, bearer):
    customer = os.environ["FLINKS_CUSTOMER_ID"]
    return requests.get(
        f"{RESULTS}/v3/{customer}/upload/fraudanalysis/{login_id}",
        headers={"Authorization": f"Bearer {bearer}"},
        verify=CA,
    )


def one_file(path):
    with open(path, "rb") as document:
        content = base64.b64encode(document.read()).decode()
    return {"FileName": os.path.basename(path), "Content": content}


def expect(what, seen, wanted):
    if seen != wanted:
        sys.exit(f"{what}: {seen!r} instead of {wanted!r}")


def refused_handshake(what):
    try:
        answer = token(None)
    except requests.exceptions.RequestException:
        return
    sys.exit(f"{what}: answered with {answer.status_code} instead of a failed handshake")


def main():
    answer = token()
    expect("token", (answer.status_code, answer.json()["token_type"]), (200, "Bearer"))
    bearer = answer.json()["access_token"]

    first = fresh_call("/api/v1/upload", {"Files": [one_file(sys.argv[1])], "Tag": "guide"})
    expect("first file", first.status_code, 200)
    session = first.json()["AggregationId"]
    second = fresh_call(
        "/api/v1/upload", {"AggregationId": session, "Files": [one_file(sys.argv[2])]}
    )
    expect("second file", second.json()["AggregationId"], session)
    done = fresh_call("/api/v1/upload/complete", {"AggregationId": session})
    expect("complete", done.status_code, 200)
    login_id = done.json()["Login"]["Id"]

    secret = os.environ["FLINKS_API_SECRET"]
    for _ in range(200):
        analysis = fraud(login_id, secret)
        expect("fraud", analysis.status_code, 200)
        documents = analysis.json()["DocumentAnalysis"]
        if len(documents) == 2 and all(d["Status"] == "COMPLETED" for d in documents):
            break
        time.sleep(0.05)
    else:
        sys.exit("the analysis never became final")

    expect("the OAuth token on the fraud call", fraud(login_id, bearer).status_code, 401)
    expect("the API secret on the upload call", call("/api/v1/upload", secret, {}).status_code, 401)
    refused_handshake("without the client certificate")
    expect("a certificate of another authority", token(OTHER_PAIR).status_code, 403)
    # The sandbox's tokens live for one second here: this one is used until it is refused.
    for _ in range(200):
        stale = call("/api/v1/upload/complete", bearer, {"AggregationId": session})
        if stale.status_code == 401:
            break
        time.sleep(0.05)
    expect("a stale token", stale.status_code, 401)
    print("guide: passed")


main()
