// Tokens that are made and signed in the page.

import { readFileSync } from "node:fs";
import { createGate } from "countersign";
import { equal } from "../assert.mjs";
import { ask, choose, seen } from "./page.mjs";

const examples = JSON.parse(readFileSync(new URL("../../inspector/src/examples.json", import.meta.url), "utf8"));
const decode = (part) => JSON.parse(Buffer.from(part, "base64url").toString());

async function openMaker(page) {
  await page.click("#make summary");
  await page.waitForFunction(() => document.querySelector("#make-claims").value !== "");
}

async function sign(page) {
  await page.evaluate(() => document.querySelector("#make-hint").replaceChildren());
  await page.click("#make-sign");
  await page.waitForFunction(() => document.querySelector("#make-hint").textContent.startsWith("Signed"));
  await page.waitForFunction(() => document.querySelector("#results .token")?.textContent === document.querySelector("#token").value);
  return page.inputValue("#token");
}

export const making = (inspector) => ({
  async "a token of each algorithm is made, and a gate elsewhere admits it with the page's key set"() {
    await inspector.with(async (page, { requests }) => {
      await openMaker(page);
      const names = await page.$$eval("#make-algorithm option", (all) => all.map((option) => option.value));
      equal(names, ["ES256", "RS256", "EdDSA"]);
      for (const name of names) {
        await ask(page, {});
        await page.selectOption("#make-algorithm", name);
        const token = await sign(page);
        equal((await seen(page)).headline, "Allowed");
        equal(decode(token.split(".")[0]), { alg: name, kid: `made-here-${name.toLowerCase()}`, typ: "JWT" });
        const keys = JSON.parse(await page.inputValue("#keys"));
        const issuers = [{ name: "page", issuer: "https://issuer.example", audiences: ["my-api"], algorithms: [name], keys: { jwks: keys } }];
        const gate = await createGate({ contract: "1", issuers });
        equal([name, (await gate.verify(token)).allow], [name, true]);
        gate.close();
      }
      equal(requests.length, 1);
    });
  },

  async "it starts with the claims of the token, and with another issuer's policy it is denied"() {
    await inspector.with(async (page) => {
      await choose(page, "Admitted");
      await openMaker(page);
      const claims = await page.inputValue("#make-claims");
      equal(JSON.parse(claims), decode(examples[0].entries.token.split(".")[1]));
      await sign(page);
      equal((await seen(page)).code, "algorithm_not_allowed");
      equal(await page.inputValue("#policy"), examples[0].entries.policy);
      await page.selectOption("#make-algorithm", "RS256");
      await page.fill("#make-claims", claims.replace('"acme"', '"globex"'));
      await sign(page);
      equal((await seen(page)).code, "tenant_denied");
      // The key set has the issuer's key and both of the page.
      equal(JSON.parse(await page.inputValue("#keys")).keys.map(({ kid }) => kid), ["2026-11", "made-here-es256", "made-here-rs256"]);
      await sign(page);
      equal(JSON.parse(await page.inputValue("#keys")).keys.length, 3);
    });
  },

  async "a faulty token is signed as it is written"() {
    await inspector.with(async (page) => {
      await openMaker(page);
      await sign(page);
      for (const claims of ['{"iss":"https://issuer.example","sub":"a","sub":"b"}', "no JSON", '{"iss":"https://issuer.example","id":12345678901234567890}']) {
        await page.fill("#make-claims", claims);
        const token = await sign(page);
        equal(Buffer.from(token.split(".")[1], "base64url").toString(), claims);
      }
      await page.fill("#make-header", '{"alg":"none"}');
      equal((await sign(page)).startsWith("eyJhbGciOiJub25lIn0."), true);
      equal((await seen(page)).code, "algorithm_not_allowed");
    });
  },

  async "the private key stays in the browser"() {
    await inspector.with(async (page) => {
      await openMaker(page);
      await sign(page);
      const fields = await page.$$eval("input, textarea", (all) => all.map(({ value }) => value).join("\n"));
      equal(/"(d|p|q|dp|dq|qi)":/.test(fields), false);
    });
  },
});
