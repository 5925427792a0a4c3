// The pages themselves: accessibility, keyboard use and screen sizes.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import axe from "axe-core";
import { createSession, newPage, openFlow, openSession, picture, startSandbox, tabTo } from "./support.mjs";

const schemes = ["light", "dark"];

/** Returns the URL of one page of each kind, by name. */
async function allPages(address, environment, vendorData) {
  const { url: phone } = await createSession(environment, vendorData);
  const flow = (await openFlow(address, `user of ${vendorData}`)).url();
  const over = (await openSession(environment, "order 14")).page;
  await over.getByRole("button", { name: "Decline" }).click();
  const [live, notice] = [`${address}live`, `${address}authorize/unknown`];
  return { phone, flow, sessions: address, live, over: over.url(), notice };
}

for (const colorScheme of schemes) test(`the pages are accessible in ${colorScheme} mode`, async () => {
  const { environment, address } = await startSandbox();
  // axe needs scripts.
  const page = await newPage({ javaScriptEnabled: true, bypassCSP: true, colorScheme });
  // The live page must not refresh while axe is running.
  await page.route("**/live", async (route) => {
    const response = await route.fetch();
    const { refresh, ...headers } = response.headers();
    assert.equal(refresh, "2");
    await route.fulfill({ response, headers });
  });
  for (const [name, url] of Object.entries(await allPages(address, environment, "order 13"))) {
    await page.goto(url);
    await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
    await page.evaluate(axe.source);
    const { violations, passes } = await page.evaluate("axe.run()");
    assert.ok(passes.length > 5, url);
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), [], url);
    await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = false)));
    await picture(page, `${name}-${colorScheme}`);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(background === "rgb(16, 19, 27)", colorScheme === "dark", background);
  }
});

test("the pages fit a phone and have large targets", async () => {
  const { environment, address } = await startSandbox();
  const pages = await allPages(address, environment, "order 12 ".repeat(30));
  for (const [colorScheme, width] of [["light", 320], ["dark", 390]]) {
    const page = await newPage({ colorScheme, viewport: { width, height: 740 } });
    for (const [name, url] of Object.entries(pages)) {
      await page.goto(url);
      await picture(page, `${name}-${colorScheme}-${width}`);
      const scrolled = await page.locator("html").evaluate((html) => html.scrollWidth);
      assert.ok(scrolled <= width, `${url} is ${scrolled} wide`);
      await assertCardsHold(page);
      // The target of a checkbox is its label.
      const targets = page.locator("a, button, summary, select, label:has(input), input:not([type=checkbox], [type=hidden])");
      for (const target of await targets.all()) {
        const { width, height } = await target.boundingBox();
        assert.ok(width >= 44 && height >= 44, `${url}: ${await target.innerText()} is ${width} by ${height}`);
      }
    }
  }
  const page = await newPage();
  for (const width of [800, 1000, 1180, 1600]) {
    await page.setViewportSize({ width, height: 900 });
    for (const url of Object.values(pages)) {
      await page.goto(url);
      await assertCardsHold(page);
    }
  }
});

/** Checks that no card has content wider than itself. */
async function assertCardsHold(page) {
  for (const card of await page.locator(".card").all()) {
    const [inner, outer] = await card.evaluate((card) => [card.scrollWidth, card.clientWidth]);
    assert.ok(inner <= outer, `${page.url()}: a card of ${outer} holds ${inner}`);
  }
}

test("a session can be created and declined with the keyboard", async () => {
  const { address } = await startSandbox();
  const page = await newPage();
  await page.goto(address);
  await tabTo(page, "Email");
  await page.keyboard.press("Space");
  await tabTo(page, "Vendor data (optional; repeated");
  await page.keyboard.type("order 9");
  await tabTo(page, "Create session");
  await page.keyboard.press("Enter");
  await page.getByRole("cell", { name: "order 9" }).waitFor();
  await tabTo(page, "Open");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Share your data?" }).waitFor();
  assert.equal(await page.getByRole("checkbox").count(), 2);
  await tabTo(page, "Edit");
  await page.keyboard.press("Enter");
  await page.getByLabel("First name").waitFor();
  await tabTo(page, "Decline");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Nothing shared" }).waitFor();
});

test("a verification can be passed with the keyboard", async () => {
  const { address } = await startSandbox();
  const page = await openFlow(address, "user 15");
  await picture(page, "flow");
  await tabTo(page, "Pass every check");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "You are verified" }).waitFor();
  // On the card a developer sets another status.
  await tabTo(page, "Set another status");
  await page.keyboard.type("Kyc");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "No longer valid" }).waitFor();
  await tabTo(page, "Decision as JSON");
  await page.keyboard.press("Enter");
  await page.getByText('"status": "Kyc Expired"').waitFor();
  await picture(page, "flow-over");
});

/** Takes the README's picture; with --bless it replaces the one in the repository. */
test("the pages in the README's picture work", async () => {
  const { environment, address } = await startSandbox();
  const { page, decision } = await openSession(environment, "order 7");
  await page.getByRole("checkbox", { name: "Email" }).uncheck();
  await readmePicture(page, "phone", { x: 150, y: 20, width: 880, height: 830 });
  await page.getByRole("button", { name: "Confirm" }).click();
  assert.equal((await decision).status, "Confirmed");
  await openFlow(address, "user 7");
  await createSession(environment, "order 8");
  const sessions = await newPage({ colorScheme: "dark" });
  await sessions.goto(address);
  await sessions.getByRole("cell", { name: "order 8" }).waitFor();
  await picture(sessions, "readme-sessions");
});

async function readmePicture(page, name, clip) {
  await picture(page, `readme-${name}`, { clip });
  if (!process.env.BLESS) return;
  const path = fileURLToPath(new URL(`../pictures/${name}.png`, import.meta.url));
  await page.screenshot({ path, clip });
}
