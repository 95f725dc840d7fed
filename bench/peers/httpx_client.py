"""The same flow with httpx: one client, whose connection is kept."""

import base64
import os
import ssl
import sys

import httpx


def main(paths):
    context = ssl.create_default_context(cafile=os.environ["FLINKS_CA"])
    context.load_cert_chain(os.environ["FLINKS_CERT"], os.environ["FLINKS_KEY"])
    base = os.environ["FLINKS_UPLOAD_URL"] + "/api/v1"
    auth = (os.environ["FLINKS_CLIENT_ID"], os.environ["FLINKS_CLIENT_SECRET"])
    with httpx.Client(verify=context, timeout=60, trust_env=False) as client:
        form = {"grant_type": "client_credentials", "scope": "ocr.write"}
        token = client.post(f"{base}/token", auth=auth, data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        session = {}
        for path in paths:
            with open(path, "rb") as file:
                content = base64.b64encode(file.read()).decode()
            files = [{"FileName": os.path.basename(path), "Content": content}]
            answer = client.post(f"{base}/upload", json={**session, "Files": files})
            session = {"AggregationId": answer.raise_for_status().json()["AggregationId"]}
        client.post(f"{base}/upload/complete", json=session).raise_for_status()


main(sys.argv[1:])
