// A server whose output is never read after the ready line answers 3,000 requests, and SIGTERM ends it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { Agent, get } from "node:https";

const server = spawn(process.argv[2], ["sandbox", "--json"]);
try {
  const [line] = await once(server.stdout, "data");
  server.stdout.pause();
  const { dir, results_url: url } = JSON.parse(line.toString().split("\n")[0]);
  const agent = new Agent({ ca: readFileSync(`${dir}/ca.pem`), keepAlive: true, maxSockets: 1 });
  for (let n = 0; n < 3000; n += 1) {
    const [response] = await once(get(`${url}/unknown`, { agent, timeout: 5000 }), "response");
    assert.equal(response.statusCode, 404);
    await once(response.resume(), "end");
  }
  agent.destroy();
  const start = Date.now();
  const exit = once(server, "exit", { signal: AbortSignal.timeout(5000) });
  server.kill("SIGTERM");
  assert.deepEqual(await exit, [0, null]);
  assert(Date.now() - start < 1000, `it took ${Date.now() - start} ms to end`);
  assert(!existsSync(dir), "the folder is still there");
} finally {
  server.kill("SIGKILL");
  server.stdout.destroy();
  server.stderr.destroy();
}
