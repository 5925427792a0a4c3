// A person's way through a session, in a real browser: the sandbox, the command line and the page
// that plays the phone, each a process of its own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { text } from "node:stream/consumers";
import axe from "axe-core";
import { chromium } from "playwright-core";

const didit = process.env.DIDIT ?? "didit";
const flags =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

let browser;
let context;
const sandboxes = [];

before(async () => {
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags.split(" ") });
  // The pages must work without scripts.
  context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1180, height: 900 } });
});

after(async () => {
  await browser?.close();
  sandboxes.forEach((sandbox) => sandbox.kill());
});

/** A `didit sandbox`: what it tells a client's environment, and where a browser finds it. */
async function startSandbox(...options) {
  const sandbox = spawn(didit, ["sandbox", ...options], { stdio: ["ignore", "pipe", "inherit"] });
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

/** Runs `didit` to its end, and reads the one JSON text that it prints. */
async function run(environment, ...words) {
  const child = spawn(didit, words, { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  assert.equal(code, 0, words.join(" "));
  return JSON.parse(printed);
}

function createSession(environment, vendorData) {
  const asked = ["--scope", "picture names email", "--vendor-data", vendorData];
  return run(environment, "session", "create", ...asked);
}

/** Opens the page of a new session while another process waits for its decision. */
async function openSession(environment, vendorData) {
  const session = await createSession(environment, vendorData);
  const status = () =>
    run(environment, "session", "status", session.session_id, "--session-token", session.session_token);
  assert.deepEqual(await status(), { status: "initialized" });
  const decision = run(environment, "wait", session.session_id, "--poll", "100ms", "--timeout", "60s");
  const page = await context.newPage();
  await page.goto(session.url);
  assert.deepEqual(await status(), { status: "retrieved" });
  return { page, decision, status };
}

async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

test("a person shares two of three things", async () => {
  const { environment, address } = await startSandbox();
  const { page, decision, status } = await openSession(environment, "order 7");
  assert.match(await page.title(), /^Share your data/);
  await page.getByRole("checkbox", { name: "Email" }).uncheck();
  await page.getByText("Edit Names").click();
  await page.getByLabel("First name").fill("Zoë <b>");
  await picture(page, "phone-editing");
  await page.getByText("Edit Names").click();
  await picture(page, "phone");
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "Data shared" }).waitFor();
  await picture(page, "phone-confirmed");

  const { status: reached, vendor_data, user_data } = await decision;
  assert.deepEqual([reached, vendor_data], ["Confirmed", "order 7"]);
  assert.deepEqual(Object.keys(user_data).sort(), ["names", "picture", "sub"]);
  assert.equal(user_data.names.first_name, "Zoë <b>");
  assert.deepEqual(await status(), { status: "confirmed" });

  await page.getByRole("link", { name: "All sessions" }).click();
  await page.getByRole("checkbox", { name: "Over 18" }).check();
  await page.getByLabel("Vendor data (optional; repeated in the decision)").fill("order 8");
  await page.getByRole("button", { name: "Create session" }).click();
  await page.getByRole("cell", { name: "order 8" }).waitFor();
  assert.equal(page.url(), address);
  await picture(page, "sessions");
  await page.getByRole("link", { name: "Open the phone of session 2" }).click();
  assert.equal(await page.getByRole("checkbox", { checked: true }).count(), 4);
});

/** Creates a verification session through the form, and opens its hosted flow. */
async function openFlow(address, vendorData) {
  const page = await context.newPage();
  await page.goto(address);
  await page.getByLabel("Vendor data (optional; the user’s id)").fill(vendorData);
  await page.getByRole("button", { name: "Create verification session" }).click();
  await page.getByRole("cell", { name: vendorData }).waitFor();
  await page.getByRole("link", { name: "Open the flow of verification session 1" }).click();
  await page.getByRole("heading", { name: "Verify your identity" }).waitFor();
  return page;
}

for (const colorScheme of ["light", "dark"]) test(`the pages are accessible in ${colorScheme} mode`, async () => {
  const { environment, address } = await startSandbox();
  const { url: phone } = await createSession(environment, "order 13");
  const flow = (await openFlow(address, "user 13")).url();
  const declined = await openSession(environment, "order 14");
  await declined.page.getByRole("button", { name: "Decline" }).click();
  // The checker is a script itself.
  const page = await browser.newPage({ bypassCSP: true, colorScheme });
  for (const url of [phone, flow, address, `${address}live`, declined.page.url(), `${address}authorize/unknown`]) {
    await page.goto(url);
    await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
    await page.evaluate(axe.source);
    const { violations, passes } = await page.evaluate("axe.run()");
    assert.ok(passes.length > 5, url);
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), [], url);
    await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = false)));
    const shown = new URL(url).pathname.split("/")[1] || "sessions";
    if (url !== declined.page.url()) await picture(page, `${shown}-${colorScheme}`);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(background === "rgb(16, 19, 27)", colorScheme === "dark", background);
  }
});

test("a person declines with the keyboard alone", async () => {
  const { environment } = await startSandbox();
  const { page, decision } = await openSession(environment, "order 9");
  const focused = () => page.locator(":focus");
  for (let steps = 0; steps < 20; steps += 1) {
    await page.keyboard.press("Tab");
    if ((await focused().textContent()) === "Decline") break;
  }
  const outline = await focused().evaluate((button) => getComputedStyle(button).outlineStyle);
  assert.equal(outline, "solid");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Nothing shared" }).waitFor();
  const { status, user_data } = await decision;
  assert.deepEqual([status, user_data], ["Declined", {}]);
});

test("a person passes a verification with the keyboard alone", async () => {
  const { address } = await startSandbox();
  const page = await openFlow(address, "user 15");
  await picture(page, "flow");
  for (let steps = 0; steps < 20; steps += 1) {
    await page.keyboard.press("Tab");
    if ((await page.locator(":focus").textContent()).startsWith("Pass every check")) break;
  }
  assert.equal(await page.locator(":focus").evaluate((button) => getComputedStyle(button).outlineStyle), "solid");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "You are verified" }).waitFor();
  // A developer sets another status beside it.
  await page.getByLabel("Set another status").focus();
  await page.keyboard.type("Kyc");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "No longer valid" }).waitFor();
  await page.getByText("Decision as JSON").click();
  await page.getByText('"status": "Kyc Expired"').waitFor();
  await picture(page, "flow-over");
});

test("a list keeps itself up to date", async () => {
  const { environment, address } = await startSandbox();
  const page = await context.newPage();
  await page.goto(address);
  await page.getByRole("link", { name: "Watch live" }).click();
  assert.equal(await page.getByRole("table").count(), 0);
  const { session_id } = await createSession(environment, "order 16");
  await page.getByRole("cell", { name: session_id }).waitFor();
  await page.getByRole("cell", { name: "POST /auth/v2/session/" }).waitFor();
  await page.getByRole("link", { name: "Stop" }).click();
  await page.getByRole("heading", { name: "New session" }).waitFor();
});

test("nothing is shared where nothing is ticked", async () => {
  const { environment } = await startSandbox();
  const { page, decision } = await openSession(environment, "order 17");
  for (const box of await page.getByRole("checkbox").all()) await box.uncheck();
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "Nothing was shared" }).waitFor();
  assert.deepEqual(Object.keys((await decision).user_data), ["sub"]);
});

test("a person lets it expire", async () => {
  const { environment } = await startSandbox();
  const { page, decision, status } = await openSession(environment, "order 10");
  await page.getByRole("button", { name: "Let it expire" }).click();
  await page.getByRole("heading", { name: "Too late" }).waitFor();
  assert.deepEqual([(await decision).status, await status()], ["Expired", { status: "expired" }]);
});

test("a session expires while the person thinks", async () => {
  const { environment } = await startSandbox("--session-lifetime", "3s");
  const { page, decision } = await openSession(environment, "order 11");
  assert.equal((await decision).status, "Expired");
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "Too late" }).waitFor();
});

test("the pages fit a phone, and a thumb", async () => {
  const { environment, address } = await startSandbox();
  const { url: phone } = await createSession(environment, "order 12 ".repeat(30));
  const flow = (await openFlow(address, "user 12")).url();
  const page = await context.newPage();
  await page.setViewportSize({ width: 360, height: 740 });
  const pages = { phone, flow, sessions: address, live: `${address}live` };
  for (const [name, url] of Object.entries(pages)) {
    await page.goto(url);
    await picture(page, `${name}-narrow`);
    const width = await page.locator("html").evaluate((html) => html.scrollWidth);
    assert.ok(width <= 360, `${url} is ${width} wide`);
    // What is ticked is pressed at its label.
    const pressed = page.locator("a, button, summary, select, label:has(input), input:not([type=checkbox], [type=hidden])");
    for (const target of await pressed.all()) {
      const { width, height } = await target.boundingBox();
      assert.ok(width >= 44 && height >= 44, `${url}: ${await target.innerText()} is ${width} by ${height}`);
    }
  }
});
