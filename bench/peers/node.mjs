// Node's https module: an agent that keeps its connection, whole files, JSON.stringify.
import { readFileSync } from "node:fs";
import https from "node:https";
import { basename } from "node:path";

const env = process.env;
const agent = new https.Agent({
  keepAlive: true,
  ca: readFileSync(env.FLINKS_CA),
  cert: readFileSync(env.FLINKS_CERT),
  key: readFileSync(env.FLINKS_KEY),
});

function post(path, headers, body) {
  return new Promise((resolve, reject) => {
    headers["Content-Length"] = Buffer.byteLength(body);
    const options = { agent, headers, method: "POST" };
    const request = https.request(`${env.FLINKS_UPLOAD_URL}/api/v1/${path}`, options, async (answer) => {
      let text = "";
      for await (const piece of answer) text += piece;
      answer.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const basic = Buffer.from(`${env.FLINKS_CLIENT_ID}:${env.FLINKS_CLIENT_SECRET}`).toString("base64");
const form = { Authorization: `Basic ${basic}`, "Content-Type": "application/x-www-form-urlencoded" };
const token = await post("token", form, "grant_type=client_credentials&scope=ocr.write");
const send = (path, body) => {
  const headers = { Authorization: `Bearer ${token.access_token}`, "Content-Type": "application/json" };
  return post(path, headers, JSON.stringify(body));
};
let AggregationId;
for (const path of process.argv.slice(2)) {
  const Files = [{ FileName: basename(path), Content: readFileSync(path).toString("base64") }];
  ({ AggregationId } = await send("upload", { AggregationId, Files }));
}
await send("upload/complete", { AggregationId });
agent.destroy();
