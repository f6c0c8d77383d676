// Hostile input: no exception, no markup, no endless loop.

import { equal } from "../assert.mjs";
import { ask, choose, seen } from "./page.mjs";

const base64url = (text) => Buffer.from(text).toString("base64url");
const tokenOf = (claims, header = '{"alg":"RS256"}') => `${base64url(header)}.${base64url(claims)}.AA`;
const FIELDS = ["token", "policy", "keys", "revocations", "method", "target", "headers", "time"];
const policy = JSON.stringify({
  contract: "1",
  issuers: [{ name: "a", issuer: "a", audiences: "any", algorithms: ["RS256"], keys: { jwks_uri: "https://a.example/" }, revocations: { uri: "https://a.example/revoked" } }],
});

export const hostile = (inspector) => ({
  async "claims with markup are shown as text"() {
    await inspector.with(async (page) => {
      const markup = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
      const text = JSON.stringify(markup);
      await ask(page, { token: tokenOf(`{"sub":${text},${text}:[${text}],"iss":${text}}`, `{"alg":"RS256","kid":${text}}`), policy: `a: ${text}\n${text}: 1`, keys: markup, target: markup });
      equal(await page.evaluate(() => [document.querySelectorAll("#results :is(img, script)").length, window.hit]), [0, undefined]);
      equal((await seen(page)).text.includes(markup), true);
    });
  },

  async "garbage in every field gives a message, never an exception"() {
    await inspector.with(async (page) => {
      const long = "x".repeat(64 << 10);
      const garbage = [
        long,
        "\ud800",
        "\udc00.\ud800.\udbff",
        "\u0000\u0001\u{1f600}\u202e",
        `${"[".repeat(5_000)}`,
        `{"a":${'{"a":'.repeat(2_000)}`,
        "a: &a [x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nd: &d [*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]",
        "- a\n - b\n\t- c",
        "!!js/function x",
        "null",
        "[]",
        "0",
        "a.b.c",
        ".....",
      ];
      for (const one of garbage) {
        for (const name of FIELDS) {
          await ask(page, { ...(name === "policy" ? {} : { policy }), token: tokenOf('{"iss":"a"}'), target: "/", [name]: one });
          equal([name, one.slice(0, 20), typeof (await seen(page)).headline], [name, one.slice(0, 20), "string"]);
        }
      }
    });
  },

  async "claims with odd names, times and shapes are shown"() {
    await inspector.with(async (page) => {
      const odd = [
        '{"__proto__":{"polluted":1},"constructor":1,"toString":2,"hasOwnProperty":3}',
        '{"exp":1e308,"iat":-1e308,"nbf":0.5}',
        '{"exp":1,"iat":2,"nbf":3}',
        '{"exp":"soon","iat":null,"nbf":[1],"aud":[[]]}',
        '{"exp":9007199254740991,"iat":0}',
        "{}",
        "[]",
        '{"a":1,"a":2}',
        `{"sub":"${"y".repeat(8_000)}"}`,
        '{"sub":"\\ud800"}',
      ];
      for (const claims of odd) {
        for (const now of ["", "0", "253402300799"]) {
          await ask(page, { token: tokenOf(claims), policy: now === "0" ? "" : policy, time: now });
          equal([claims.slice(0, 30), typeof (await seen(page)).headline], [claims.slice(0, 30), "string"]);
          equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth && ({}).polluted === undefined"), true);
        }
      }
    });
  },

  async "after all that an example is still admitted"() {
    await inspector.with(async (page) => {
      await ask(page, { token: "x".repeat(1 << 20), policy, target: "/" });
      await choose(page, "Admitted");
      await page.waitForFunction(() => document.querySelector("#results h2").textContent === "Allowed");
    });
  },
});
