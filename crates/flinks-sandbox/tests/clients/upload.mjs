// The Upload guide's flow by Node without packages, against the sandbox: two files, analysis, accounts.
// `flinks sandbox -- COMMAND` sets NODE_EXTRA_CA_CERTS.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";

const env = process.env;
const agent = new Agent({
  cert: readFileSync(env.FLINKS_CERT),
  key: readFileSync(env.FLINKS_KEY),
  keepAlive: true,
});

/** Sends a POST to the upload host, requires status 200 and returns the answer's JSON. */
function upload(path, authorization, type, body) {
  const headers = { Authorization: authorization, "Content-Type": type };
  const url = `${env.FLINKS_UPLOAD_URL}/api/v1/${path}`;
  return new Promise((resolve, reject) => {
    const options = { agent, headers, method: "POST", timeout: 20_000 };
    const sent = request(url, options, async (response) => {
      let text = "";
      for await (const part of response.setEncoding("utf8")) text += part;
      if (response.statusCode === 200) resolve(JSON.parse(text));
      else reject(new Error(`${path}: ${response.statusCode} ${text}`));
    });
    sent.on("timeout", () => sent.destroy(new Error(`${path}: no answer`)));
    sent.on("error", reject);
    sent.end(body);
  });
}

const basic = Buffer.from(`${env.FLINKS_CLIENT_ID}:${env.FLINKS_CLIENT_SECRET}`).toString("base64");
const form = new URLSearchParams({ grant_type: "client_credentials", scope: "ocr.write" });
const formType = "application/x-www-form-urlencoded";
const token = await upload("token", `Basic ${basic}`, formType, form.toString());

const post = (path, payload) =>
  upload(path, `Bearer ${token.access_token}`, "application/json", JSON.stringify(payload));
const file = (name, content) => ({
  Files: [{ FileName: name, Content: Buffer.from(content).toString("base64") }],
  Tag: "optional-tag",
});
const clean = file("january.pdf", "%PDF-1.4\nstartxref\n0\n%%EOF\n");
const { AggregationId } = await post("upload", clean);
const marked = "%PDF-1.4\n%flinks-sandbox signal=DATE_EDITS page=1\nstartxref\n0\n%%EOF\n";
const second = await post("upload", { AggregationId, ...file("february.pdf", marked) });
assert.equal(second.AggregationId, AggregationId);
const loginId = (await post("upload/complete", { AggregationId })).Login.Id;
agent.destroy();

/** Calls the results host: a POST, or a GET without a body; requires status 200. */
async function results(path, body) {
  const response = await fetch(`${env.FLINKS_API_URL}/v3/${env.FLINKS_CUSTOMER_ID}/${path}`, {
    method: body ? "POST" : "GET",
    headers: {
      Authorization: `Bearer ${env.FLINKS_API_SECRET}`,
      "Content-Type": "application/json",
    },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  assert.equal(response.status, 200, `${path}: ${text}`);
  return JSON.parse(text);
}

const deadline = Date.now() + 30_000;
let documents = [];
while (documents.length < 2 || documents.some(({ Status }) => Status !== "COMPLETED")) {
  assert(Date.now() < deadline, `the analysis is not final: ${JSON.stringify(documents)}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  documents = (await results(`upload/fraudanalysis/${loginId}`)).DocumentAnalysis;
}
const signals = documents.map(({ FullAnalysis }) => FullAnalysis[0].FraudSignals.map((s) => s.Type));
assert.deepEqual(signals, [[], ["DATE_EDITS"]]);

const cached = { LoginId: loginId, MostRecentCached: true };
const { RequestId } = await results("BankingServices/Authorize", cached);
const { Accounts } = await results("BankingServices/GetAccountsDetail", { RequestId });
assert(Accounts[0].Transactions.length > 0, "no transactions");
