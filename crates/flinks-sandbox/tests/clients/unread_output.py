"""A server whose output is never read after the ready line answers 3,000 requests, and SIGTERM ends it."""

import http.client
import json
import os
import ssl
import subprocess
import sys
import time

server = subprocess.Popen(
    [sys.argv[1], "sandbox", "--json"],
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
)
try:
    ready = json.loads(server.stdout.readline())
    context = ssl.create_default_context(cafile=ready["dir"] + "/ca.pem")
    host = ready["results_url"].removeprefix("https://")
    connection = http.client.HTTPSConnection(host, context=context, timeout=5)
    for _ in range(3000):
        connection.request("GET", "/unknown")
        response = connection.getresponse()
        response.read()
        assert response.status == 404, response.status
    start = time.monotonic()
    server.terminate()
    status = server.wait(timeout=5)
    took = time.monotonic() - start
    assert status == 0 and took < 1, f"status {status} after {took:.1f} s"
    assert not os.path.exists(ready["dir"]), "the folder is still there"
finally:
    server.kill()
