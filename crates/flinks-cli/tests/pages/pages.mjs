// Writes pages with --html from analyses that the sandbox is given, and looks at them in a browser.
// Arguments: browser, flinks, folder for pages, pictures and PDFs.
import { spawn, execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [browserPath, flinks, folder] = process.argv.slice(2);
const hostile = `</style><script>document.title="run"</script><img src=x onerror=alert(1)>"' \u202egnp\u0007`;
const kinds = ["UNRECONCILED_BALANCES", "DOLLAR_AMOUNT_EDITS", "DATE_EDITS", "MISALIGNED_TEXT", "NEW_SIGNAL"];

const form = (signals) => ({ Status: "COMPLETED", FullAnalysis: [{ DocumentType: "BANK_STATEMENT", FraudSignals: signals }] });
const signal = (type, page, details) => ({
  Type: type, PageNumber: page, Count: Math.max(1, details.length),
  UnderlyingData: details.map((detail) => ({ Details: [detail] })),
});
const delta = (value) => ({ SpecificType: "delta", Value: value, DataType: "float" });
const forty = Array.from({ length: 40 }, (_, i) =>
  signal(kinds[i % 5], i % 9 === 8 ? null : ((i * 7) % 12) + 1, i % 2 ? [delta(`${i}.85`), delta("-1200.00")] : []));
const analyses = {
  clean: [form([]), form([])],
  flagged: [form(forty.slice(0, 34)), form([]), form(forty.slice(34))],
  undetermined: [form([]), { Status: "UNABLE_TO_PROCESS" }, { Status: "PENDING" }],
  hostile: [form([signal(hostile, 4294967295, [{ SpecificType: hostile, Value: hostile, DataType: "str" }]),
    signal("é".repeat(300), 1, [delta("9".repeat(300))])])],
};

async function writePages() {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "statement <b>&\"'.pdf");
  writeFileSync(file, "%PDF-1.7\nstartxref\n0\n%%EOF\n");
  const second = join(folder, `${"long-name-".repeat(20)}.pdf`);
  writeFileSync(second, "%PDF-1.7\nstartxref\n0\n%%EOF\n");
  for (const [name, analysis] of Object.entries(analyses)) {
    const url = `${process.env.FLINKS_API_URL}/sandbox/analysis/next`;
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, { method: "PUT", headers, body: JSON.stringify(analysis) });
    if (!answer.ok) throw new Error(await answer.text());
    const who = name === "hostile" ? [hostile.replace(/\0/g, ""), hostile] : [`loan-${name}`, "Zoë Tremblay"];
    const options = ["--tag", who[0], "--client-name", who[1], "--wait", "--poll", "0.1", "--deadline", "1"];
    try {
      execFileSync(flinks, ["upload", file, second, ...options, "--html", join(folder, `${name}.html`)], { stdio: "pipe" });
    } catch (error) {
      // Undetermined after waiting.
      if (error.status !== 8) throw error;
    }
  }
}

/** A browser, spoken to through pipes in the Chrome DevTools protocol. */
class Browser {
  #calls = new Map();
  #next = 1;
  #text = "";
  events = [];

  constructor() {
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
      `--user-data-dir=${join(folder, "profile")}`];
    this.process = spawn(browserPath, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.process.stdio[4].setEncoding("utf8").on("data", (text) => this.#read(text));
  }

  #read(text) {
    const messages = (this.#text + text).split("\0");
    this.#text = messages.pop();
    for (const message of messages.map((text) => JSON.parse(text))) {
      if (!message.id) this.events.push(message);
      else if (message.error) this.#calls.get(message.id).reject(new Error(JSON.stringify(message.error)));
      else this.#calls.get(message.id).resolve(message.result);
    }
  }

  call(method, params = {}) {
    const id = this.#next++;
    this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: this.session })}\0`);
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
  }

  async value(expression) {
    return (await this.call("Runtime.evaluate", { expression, returnByValue: true })).result.value;
  }

  async open() {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    this.session = (await this.call("Target.attachToTarget", { targetId, flatten: true })).sessionId;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.call(`${domain}.enable`);
  }

  async load(url) {
    this.events = [];
    await this.call("Page.navigate", { url });
    while (!this.events.some((event) => event.method === "Page.loadEventFired")) await this.value("1");
  }
}

const failures = [];
const expect = (holds, what) => holds || failures.push(what);

async function look(browser, name) {
  const url = pathToFileURL(join(folder, `${name}.html`)).href;
  const grounds = new Set();
  for (const [scheme, width] of [["light", 1200], ["dark", 1200], ["light", 380], ["dark", 380]]) {
    const what = `${name}, ${scheme}, ${width} px`;
    await browser.call("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: width < 500 });
    await browser.call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    await browser.load(url);
    const of = (method) => browser.events.filter((event) => event.method === method);
    for (const entry of [...of("Log.entryAdded"), ...of("Runtime.consoleAPICalled"), ...of("Runtime.exceptionThrown")]) {
      failures.push(`${what}: the console has ${JSON.stringify(entry.params)}`);
    }
    expect(of("Network.requestWillBeSent").length === 1, `${what}: it requests more than itself`);
    expect((await browser.value("document.title")) === "Fraud analysis", `${what}: a script runs`);
    expect((await browser.value("document.documentElement.scrollWidth")) <= width, `${what}: it is wider than the window`);
    grounds.add(await browser.value("getComputedStyle(document.body).backgroundColor"));
    const picture = await browser.call("Page.captureScreenshot", { captureBeyondViewport: true });
    writeFileSync(join(folder, `${name}-${scheme}-${width}.png`), picture.data, "base64");
  }
  expect(grounds.size === 2, `${name}: light and dark are alike`);
  const pdf = await browser.call("Page.printToPDF", { preferCSSPageSize: true });
  writeFileSync(join(folder, `${name}.pdf`), pdf.data, "base64");
}

await writePages();
const browser = new Browser();
try {
  await browser.open();
  for (const name of Object.keys(analyses)) await look(browser, name);
} finally {
  browser.process.kill();
}
for (const failure of failures) console.error(failure);
console.log(`${failures.length ? "failed" : "passed"}: pages.mjs`);
process.exitCode = failures.length ? 1 : 0;
