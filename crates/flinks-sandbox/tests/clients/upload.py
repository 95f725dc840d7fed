"""The Upload guide's Python as printed, with the sandbox's settings: two files, analysis, accounts.

`flinks sandbox -- COMMAND` sets REQUESTS_CA_BUNDLE, whose roots `verify=True` trusts.
"""

import base64
import os
import time

import requests

# Paths to your certificate files
CERT_PATH = os.environ["FLINKS_CERT"]
KEY_PATH  = os.environ["FLINKS_KEY"]

CLIENT_ID     = os.environ["FLINKS_CLIENT_ID"]
CLIENT_SECRET = os.environ["FLINKS_CLIENT_SECRET"]

TOKEN_URL = os.environ["FLINKS_UPLOAD_URL"] + "/api/v1/token"

# Build Basic Auth header: base64(client_id:client_secret)
credentials = f"{CLIENT_ID}:{CLIENT_SECRET}"
encoded = base64.b64encode(credentials.encode()).decode()

response = requests.post(
    TOKEN_URL,
    headers={
        "Authorization": f"Basic {encoded}",
        "Content-Type": "application/x-www-form-urlencoded",
    },
    data={"grant_type": "client_credentials", "scope": "ocr.write"},
    cert=(CERT_PATH, KEY_PATH),  # mTLS: present your certificate + private key
    verify=True,                  # Verify Flinks server certificate
)

token_data = response.json()
access_token = token_data["access_token"]
assert token_data["token_type"] == "Bearer" and token_data["expires_in"] == 300, token_data

UPLOAD_URL = os.environ["FLINKS_UPLOAD_URL"] + "/api/v1/upload"


def upload(url, payload):
    api_response = requests.post(
        url,
        headers={
            "Authorization": f"Bearer {access_token}",
            "Content-Type": "application/json",
        },
        json=payload,
        cert=(CERT_PATH, KEY_PATH),
        verify=True,
    )
    answer = api_response.json()
    assert api_response.status_code == answer["HttpStatusCode"] == 200, answer
    return answer


session = {}
marker = b"%flinks-sandbox signal=DATE_EDITS page=1\n"
for name, content in [
    ("statement_january.pdf", b"%PDF-1.4\nstartxref\n0\n%%EOF\n"),
    ("statement_february.pdf", b"%PDF-1.4\n" + marker + b"startxref\n0\n%%EOF\n"),
]:
    file = {"FileName": name, "Content": base64.b64encode(content).decode()}
    answer = upload(UPLOAD_URL, {**session, "Files": [file], "Tag": "optional-tag"})
    assert answer["AggregationId"] == session.get("AggregationId", answer["AggregationId"]), answer
    session = {"AggregationId": answer["AggregationId"]}
login_id = upload(UPLOAD_URL + "/complete", session)["Login"]["Id"]

API_URL = f"{os.environ['FLINKS_API_URL']}/v3/{os.environ['FLINKS_CUSTOMER_ID']}"
documents = []
deadline = time.monotonic() + 30
while len(documents) < 2 or {document["Status"] for document in documents} != {"COMPLETED"}:
    assert time.monotonic() < deadline, f"the analysis is not final: {documents}"
    time.sleep(0.1)
    response = requests.get(
        f"{API_URL}/upload/fraudanalysis/{login_id}",
        headers={"Authorization": f"Bearer {os.environ['FLINKS_API_SECRET']}"},
    )
    assert response.status_code == 200, response.text
    documents = response.json()["DocumentAnalysis"]
signals = [document["FullAnalysis"][0]["FraudSignals"] for document in documents]
assert [[signal["Type"] for signal in of] for of in signals] == [[], ["DATE_EDITS"]], documents


def banking(endpoint, body):
    response = requests.post(f"{API_URL}/BankingServices/{endpoint}", json=body)
    assert response.status_code == 200, f"{endpoint}: {response.text}"
    return response.json()


cached = banking("Authorize", {"LoginId": login_id, "MostRecentCached": True})
accounts = banking("GetAccountsDetail", {"RequestId": cached["RequestId"]})["Accounts"]
assert accounts and accounts[0]["Transactions"], accounts
