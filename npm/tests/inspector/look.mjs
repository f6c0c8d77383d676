// What is in view, in which order, and the policy's own text.

import { readFileSync } from "node:fs";
import { equal } from "../assert.mjs";
import { ask, choose, phone, seen } from "./page.mjs";

const examples = JSON.parse(readFileSync(new URL("../../inspector/src/examples.json", import.meta.url), "utf8"));
const example = (name) => examples.find((one) => one.name === name).entries;
const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** The lines of an excerpt: their numbers and texts, and whether they are marked. */
const rows = (page, selector = "#results .by .row") =>
  page.$$eval(selector, (all) => all.map((row) => [row.querySelector(".number").textContent, row.querySelector("code")?.textContent, row.classList.contains("marked")]));

/** Whether the verdict's word can be seen: that of the results, or of the line that follows. */
const inView = (page) =>
  page.evaluate(async () => {
    // The observer reports after the next frame.
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    const word = document.querySelector("#results h2").textContent;
    return [...document.querySelectorAll("#results h2, #brief strong")].some((element) => {
      const { top, bottom, left, right } = element.getBoundingClientRect();
      const isHit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2) === element;
      return element.textContent === word && isHit && top >= 0 && bottom <= innerHeight;
    });
  });

export const look = (inspector) => ({
  async "the verdict is in view at every place of the page, on a desktop and on a phone"() {
    for (const device of [{}, phone]) {
      await inspector.with(async (page) => {
        const roles = Array.from({ length: 300 }, (_, index) => `role-${index}`);
        const token = `${base64url({ alg: "RS256", kid: "2026-11" })}.${base64url({ iss: "https://auth.example.com", roles })}.AA`;
        for (const entries of [example("Another tenant"), example("Broken policy"), { ...example("Admitted"), token }]) {
          await ask(page, entries);
          const height = await page.evaluate("document.documentElement.scrollHeight");
          for (let y = 0; y < height; y += 300) {
            await page.evaluate((y) => scrollTo({ top: y, behavior: "instant" }), y);
            equal([y, await inView(page)], [y, true]);
          }
        }
      }, device);
    }
  },

  async "the line with the verdict leads to the results, and there is none without a verdict"() {
    await inspector.with(async (page) => {
      equal(await page.isHidden("#brief"), true);
      await choose(page, "Another tenant");
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      await page.waitForSelector("#brief:not([hidden])");
      equal(await page.textContent("#brief"), "Denied tenant_denied: to the results");
      await page.click("#brief");
      equal(await page.evaluate(() => [document.activeElement.id, document.querySelector("#results").getBoundingClientRect().top >= 0]), ["results", true]);
      await page.waitForSelector("#brief", { state: "hidden" });
    }, phone);
  },

  async "the claims come before the checks"() {
    await inspector.with(async (page) => {
      await choose(page, "Admitted");
      const order = await page.$$eval("#results h2", (all) => all.map((heading) => heading.textContent));
      equal(order, ["Allowed", "Claims", "Times", "Header", "Token", "Caller, as mapped by the policy", "Changes for the service", "Checks, in order"]);
    });
  },

  async "the rule that decided is shown in the policy's own text, with its lines"() {
    await inspector.with(async (page) => {
      await choose(page, "Another tenant");
      equal(await rows(page), [
        ["13", "- path: /orgs/{org}/**", false],
        ["14", '  require: { tenant: "{org}", roles: { any: [admin, editor] } }', true],
      ]);
      equal(await page.textContent("#results .by mark"), 'tenant: "{org}"');
      equal(await page.$$eval("#policy-lines .bad", (all) => all.map((line) => line.textContent)), ["14"]);
      await choose(page, "Admitted");
      equal((await rows(page)).map(([line, , marked]) => [line, marked]), [["13", false], ["14", false]]);
      equal(await page.$$eval("#policy-lines .good", (all) => all.map((line) => line.textContent)), ["13", "14"]);
      // JSON on one line.
      const policy = JSON.stringify({ contract: "1", issuers: [{ name: "a", issuer: "a", audiences: ["x".repeat(500)], algorithms: ["RS256"], keys: { jwks_uri: "https://a.example/" } }], rules: [{ path: "/**", public: true }] });
      await ask(page, { policy, target: "/" });
      const [[number, text]] = await rows(page);
      equal([number, text.includes('"rules":[{"path":"/**","public":true}]'), text.length < 250], ["1", true, true]);
    });
  },

  async "the issuer that decided is shown, with the member"() {
    await inspector.with(async (page) => {
      await choose(page, "alg: none");
      await ask(page, { ...example("Admitted"), policy: example("Admitted").policy.replace("audiences: [platform]", "audiences: [other]") });
      equal((await seen(page)).code, "audience_mismatch");
      equal((await rows(page)).filter(([, , marked]) => marked), [["7", "  audiences: [other]", true]]);
      equal(await page.textContent("#results .by h3"), "The issuer in the policy that decided");
    });
  },

  async "where no issuer and no rule is found, the list is shown"() {
    await inspector.with(async (page) => {
      const { policy } = example("Admitted");
      await ask(page, { ...example("Admitted"), policy: policy.replace("issuer: https://auth.example.com", "issuer: https://auth.example.com/") });
      equal([(await seen(page)).code, (await rows(page)).filter(([, , marked]) => marked)], ["issuer_unknown", [["6", "    issuer: https://auth.example.com/", true]]]);
      await ask(page, { ...example("Admitted"), target: "/elsewhere" });
      equal([(await seen(page)).code, (await rows(page)).map(([line]) => line)], ["rule_denied", ["11", "12", "13", "14", "15", "16", "17"]]);
    });
  },

  async "a place in the policy leads there"() {
    await inspector.with(async (page) => {
      await choose(page, "Another tenant");
      const selected = () => page.evaluate(() => {
        const { id, value, selectionStart, selectionEnd } = document.activeElement;
        return [id, value?.slice(selectionStart, selectionEnd)];
      });
      await page.click("#results button.where");
      equal(await selected(), ["policy", 'tenant: "{org}"']);
      await choose(page, "Broken policy");
      equal(await page.$$eval("#policy-lines .bad", (all) => all.map((line) => line.textContent)), ["8", "12", "14"]);
      equal(await rows(page, "#results .problems li:first-child .row"), [["8", "algorithms: [RS265]", true]]);
      await page.click("#results button.where");
      equal(await selected(), ["policy", "RS265"]);
    });
  },

  async "a long rule is shown at its marks"() {
    await inspector.with(async (page) => {
      const roles = Array.from({ length: 60 }, (_, index) => `          - role-${index}\n`).join("");
      const { policy } = example("Another tenant");
      await ask(page, { ...example("Another tenant"), policy: policy.replace('require: { tenant: "{org}", roles: { any: [admin, editor] } }', `require:\n      roles:\n        any:\n${roles}      tenant: "{org}"`) });
      equal(await rows(page), [
        ["13", "- path: /orgs/{org}/**", false],
        ["⋯", undefined, false],
        ["76", "        - role-59", false],
        ["77", '    tenant: "{org}"', true],
      ]);
    });
  },

  async "the numbers that were exceeded are named"() {
    await inspector.with(async (page) => {
      const numbers = async (entries) => {
        await ask(page, { ...example("Expired"), ...entries });
        return page.textContent("#results .numbers");
      };
      equal(await numbers({}), "exp was 1 hour ago, at 2026-11-21T08:20:00Z. The leeway is 30 seconds.");
      const { token, policy } = example("Admitted");
      equal(await numbers({ token, time: "2026-11-21T09:00:00Z" }), "nbf is in 20 minutes, at 2026-11-21T09:20:00Z. The leeway is 30 seconds.");
      const big = `${base64url({ alg: "RS256" })}.${base64url("x".repeat(14_000))}.AA`;
      equal(await numbers({ token: big }), `The token has ${big.length.toLocaleString("en")} bytes, and the limit token_bytes is 16,384.`);
      equal(await numbers({ token, policy: `${policy}limits: { token_bytes: 100 }\n` }), "The token has 670 bytes, and the limit token_bytes is 100.");
      const header = { alg: "RS256", x: "y".repeat(4_096) };
      equal(await numbers({ token: `${base64url(header)}.e30.AA` }), `Its header has ${JSON.stringify(header).length.toLocaleString("en")} bytes, and the limit header_bytes is 4,096.`);
      equal(await numbers({ token: "opaque" }), "It has no dots: it is an opaque token, not a signed one.");
    });
  },

  async "the check that failed says what it compared"() {
    await inspector.with(async (page) => {
      await choose(page, "Scope missing");
      equal(await page.textContent("#results .compared"), "rule.scopes: scopes profile");
    });
  },

  async "the parts of the token have the colours of their headings"() {
    await inspector.with(async (page) => {
      await choose(page, "Only a token");
      const colours = await page.evaluate(() => {
        const of = (name) => getComputedStyle(document.querySelector(`#results .token .${name}`)).color;
        const swatch = (name) => getComputedStyle(document.querySelector(`#results .swatch.${name}`)).backgroundColor;
        return ["of-header", "of-claims", "of-signature"].map((name) => [of(name), swatch(name)]);
      });
      equal(colours.map(([text, swatch]) => text === swatch), [true, true, true]);
      equal(new Set(colours.flat()).size, 3);
      equal(await page.$$eval("#results .token > [class^=of-]", (parts) => parts.map((part) => part.textContent).join(".")), example("Only a token").token);
    });
  },

  async "JSON is shown as it was written, and everything can be copied"() {
    await inspector.with(async (page) => {
      const claims = '{ "id": 12345678901234567890,\n  "sub": "\\u0061" }';
      const token = `${base64url({ alg: "RS256" })}.${base64url(claims)}.AA`;
      await ask(page, { token });
      await page.click("#results .raw summary");
      equal(await page.textContent("#results .raw pre"), claims);
      const copied = [];
      for (const button of await page.$$("#results .copy")) {
        await button.click();
        copied.push(await page.evaluate("navigator.clipboard.readText()"));
        equal((await button.textContent()).startsWith("Copied"), true);
      }
      equal(copied, [claims, '{"alg":"RS256"}', token]);
    }, { permissions: ["clipboard-read", "clipboard-write"] });
  },
});
