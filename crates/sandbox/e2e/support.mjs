// Shared by the tests: a browser, and `didit` as separate processes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { text } from "node:stream/consumers";
import { chromium } from "playwright-core";

const didit = process.env.DIDIT ?? "didit";
const flags =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const sandboxes = [];
let browser;

before(async () => {
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags.split(" ") });
});

after(async () => {
  await browser?.close();
  sandboxes.forEach((sandbox) => sandbox.kill());
});

/** Opens a new page. Scripts are disabled by default, because the pages must work without them. */
export async function newPage(options = {}) {
  const context = { javaScriptEnabled: false, viewport: { width: 1180, height: 900 }, ...options };
  const page = await browser.newPage(context);
  page.setDefaultTimeout(20_000);
  return page;
}

/** Starts `didit sandbox`; returns the environment variables that it prints, and its address. */
export async function startSandbox(...options) {
  const sandbox = spawn(didit, ["--quiet", "sandbox", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  sandboxes.push(sandbox);
  const environment = {};
  for await (const line of createInterface({ input: sandbox.stdout })) {
    const variable = line.match(/^(DIDIT_\w+)=(.*)$/);
    if (variable) environment[variable[1]] = variable[2];
    const address = line.match(/(http:\S+\/)$/);
    if (address) return { environment, address: address[1] };
  }
  throw new Error("the sandbox ended");
}

/** Runs `didit` and parses the JSON that it prints. */
export async function run(environment, ...words) {
  const child = spawn(didit, words, { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  assert.equal(code, 0, words.join(" "));
  return JSON.parse(printed);
}

export function createSession(environment, vendorData) {
  const options = ["--scope", "picture names email", "--vendor-data", vendorData];
  return run(environment, "session", "create", ...options);
}

/** Creates a session and opens its page, while another process waits for its decision. */
export async function openSession(environment, vendorData) {
  const session = await createSession(environment, vendorData);
  const status = () =>
    run(environment, "session", "status", session.session_id, "--session-token", session.session_token);
  assert.deepEqual(await status(), { status: "initialized" });
  const decision = run(environment, "wait", session.session_id, "--poll", "100ms", "--timeout", "60s");
  const page = await newPage();
  await page.goto(session.url);
  assert.deepEqual(await status(), { status: "retrieved" });
  return { page, decision, status };
}

/** Creates a verification session with the form, and opens its hosted flow. */
export async function openFlow(address, vendorData, page) {
  page ??= await newPage();
  await page.goto(address);
  await page.getByLabel("Vendor data (optional; the user’s id)").fill(vendorData);
  await page.getByRole("button", { name: "Create verification session" }).click();
  await page.getByRole("cell", { name: vendorData }).waitFor();
  await page.getByRole("link", { name: "Open the flow of verification session 1" }).click();
  await page.getByRole("heading", { name: "Verify your identity" }).waitFor();
  return page;
}

/** Presses Tab until the text of the focused element begins with this text; checks that the focus is visible. */
export async function tabTo(page, begin) {
  const focused = page.locator(":focus");
  for (let steps = 0; steps < 60; steps += 1) {
    await page.keyboard.press("Tab");
    if ((await focused.count()) === 0) continue;
    const outline = await focused.evaluate((element) => getComputedStyle(element).outlineStyle);
    assert.equal(outline, "solid", await focused.evaluate((element) => element.outerHTML));
    const name = await focused.evaluate((element) => element.labels?.[0]?.innerText ?? element.innerText);
    if (name.trim().startsWith(begin)) return;
  }
  assert.fail(`no focus on ${begin}`);
}

/** Saves a screenshot of a page, if SCREENSHOTS is set. */
export async function picture(page, name, options = { fullPage: true }) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), ...options });
}
