"""The Upload guide's own Python flow, as printed there: token, one upload a file, complete."""

import base64
import os
import sys

import requests

BASE = os.environ["FLINKS_UPLOAD_URL"]
CERT = (os.environ["FLINKS_CERT"], os.environ["FLINKS_KEY"])
CA = os.environ["FLINKS_CA"]


def main(paths):
    credentials = f"{os.environ['FLINKS_CLIENT_ID']}:{os.environ['FLINKS_CLIENT_SECRET']}"
    encoded = base64.b64encode(credentials.encode()).decode()
    response = requests.post(
        f"{BASE}/api/v1/token",
        headers={
            "Authorization": f"Basic {encoded}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        data={"grant_type": "client_credentials", "scope": "ocr.write"},
        cert=CERT,
        verify=CA,
    )
    headers = {
        "Authorization": f"Bearer {response.json()['access_token']}",
        "Content-Type": "application/json",
    }
    aggregation_id = None
    for path in paths:
        with open(path, "rb") as file:
            content = base64.b64encode(file.read()).decode()
        body = {"Files": [{"FileName": os.path.basename(path), "Content": content}]}
        if aggregation_id:
            body["AggregationId"] = aggregation_id
        answer = requests.post(
            f"{BASE}/api/v1/upload", headers=headers, json=body, cert=CERT, verify=CA
        )
        answer.raise_for_status()
        aggregation_id = answer.json()["AggregationId"]
    answer = requests.post(
        f"{BASE}/api/v1/upload/complete",
        headers=headers,
        json={"AggregationId": aggregation_id},
        cert=CERT,
        verify=CA,
    )
    answer.raise_for_status()
    print(answer.json()["Login"]["Id"])


main(sys.argv[1:])
