// Sessions in a real browser, with the sandbox and the command line as separate processes.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { json } from "node:stream/consumers";
import { createSession, newPage, openFlow, openSession, picture, startSandbox } from "./support.mjs";

test("only the ticked scopes are shared", async () => {
  const { environment, address } = await startSandbox();
  const { page, decision, status } = await openSession(environment, "order 7");
  assert.match(await page.title(), /^Share your data/);
  await page.getByRole("checkbox", { name: "Email" }).uncheck();
  await page.getByText("Edit Names").click();
  await page.getByLabel("First name").fill("Zoë <b>");
  await picture(page, "phone-editing");
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
  await page.getByRole("link", { name: "Open the phone of session 2" }).click();
  assert.equal(await page.getByRole("checkbox", { checked: true }).count(), 4);
});

test("the live page refreshes", async () => {
  const { environment, address } = await startSandbox();
  const page = await newPage();
  await page.goto(address);
  await page.getByRole("link", { name: "Watch live" }).click();
  assert.equal(await page.getByRole("table").count(), 0);
  const { session_id } = await createSession(environment, "order 16");
  await page.getByRole("cell", { name: session_id }).waitFor();
  await page.getByRole("cell", { name: "POST /auth/v2/session/" }).waitFor();
  await page.getByRole("link", { name: "Stop" }).click();
  await page.getByRole("heading", { name: "New session" }).waitFor();
});

test("nothing is shared if nothing is ticked", async () => {
  const { environment } = await startSandbox();
  const { page, decision } = await openSession(environment, "order 17");
  for (const box of await page.getByRole("checkbox").all()) await box.uncheck();
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "Nothing was shared" }).waitFor();
  assert.deepEqual(Object.keys((await decision).user_data), ["sub"]);
});

test("the form refuses a session without scopes", async () => {
  const { address } = await startSandbox();
  const page = await newPage();
  await page.goto(address);
  for (const box of await page.getByRole("checkbox").all()) await box.uncheck();
  await page.getByLabel("Vendor data (optional; repeated in the decision)").fill("order 18");
  await page.getByRole("button", { name: "Create session" }).click();
  await page.getByRole("alert").getByText("Tick at least one thing.").waitFor();
  await picture(page, "sessions-problem");
  await page.getByRole("checkbox", { name: "Phone" }).check();
  await page.getByRole("button", { name: "Create session" }).click();
  await page.getByRole("cell", { name: "order 18" }).waitFor();
});

test("a button lets the session expire", async () => {
  const { environment } = await startSandbox();
  const { page, decision, status } = await openSession(environment, "order 10");
  await page.getByRole("button", { name: "Let it expire" }).click();
  await page.getByRole("heading", { name: "Too late" }).waitFor();
  assert.deepEqual([(await decision).status, await status()], ["Expired", { status: "expired" }]);
});

test("a session expires while its page is open", async () => {
  const { environment } = await startSandbox("--session-lifetime", "3s");
  const { page, decision } = await openSession(environment, "order 11");
  assert.equal((await decision).status, "Expired");
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "Too late" }).waitFor();
});

test("a developer resends a webhook with a wrong signature", async () => {
  const received = [];
  const receiver = createServer(async (request, response) => {
    received.push({ signature: request.headers["x-signature"], body: await json(request) });
    response.end();
  });
  await once(receiver.listen(0, "127.0.0.1"), "listening");
  const { address } = await startSandbox("--webhook", `http://127.0.0.1:${receiver.address().port}/hooks`);
  const page = await openFlow(address, "user 19");
  await page.getByRole("button", { name: "Fail a check" }).click();
  await page.getByRole("heading", { name: "Not verified" }).waitFor();
  await page.getByLabel("Send the webhook again").selectOption("With a wrong signature");
  await page.getByRole("button", { name: "Send webhook" }).click();
  await page.getByRole("link", { name: "All sessions" }).click();
  await page.getByRole("link", { name: "Watch live" }).click();
  await page.getByRole("table").nth(1).getByText("Declined").nth(1).waitFor();
  await picture(page, "live-webhooks");
  receiver.close();
  assert.deepEqual(received.map(({ body }) => body.status), ["In Progress", "Declined", "Declined"]);
  assert.equal(new Set(received.map(({ signature }) => signature)).size, 3);
});

test("a network sandbox has network URLs and QR codes", async () => {
  const { address, environment } = await startSandbox("--listen", "0.0.0.0");
  assert.notEqual(environment.DIDIT_CLIENT_SECRET, "sandbox-client-secret");
  const { url } = await createSession(environment, "order 20");
  assert.ok(!url.startsWith(address), url);
  const page = await newPage();
  await page.goto(url);
  await page.getByText("Open on a phone").click();
  await page.getByRole("img", { name: "QR code" }).waitFor();
  await page.getByText(url, { exact: true }).waitFor();
  await picture(page, "phone-network");
  await page.goto(address);
  await page.getByText("for everyone in this network").waitFor();
});
