// How the page is used, and that it stores and sends nothing.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createGate, CountersignError } from "countersign";
import { equal, rejects } from "../assert.mjs";
import { ask, choose, fromFile, html, phone, seen, SERVED } from "./page.mjs";

const examples = JSON.parse(readFileSync(new URL("../../inspector/src/examples.json", import.meta.url), "utf8"));
const example = (name) => examples.find((one) => one.name === name).entries;
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
/** What can be used in the results of an allowed request. */
const RESULTS = ["where", "copy", "Raw JSON of the claims", "copy", "Raw JSON of the header", "copy", "brief"];
const digestOf = (bytes) => createHash("sha256").update(bytes).digest("hex");

export const use = (inspector) => ({
  async "it requests nothing but itself, from a server and from a file"() {
    for (const options of [{}, fromFile]) {
      await inspector.with(async (page, { requests }) => {
        for (const { name } of examples) await choose(page, name);
        equal(requests, [options.from ?? SERVED]);
      }, options);
    }
  },

  async "its Content-Security-Policy blocks requests"() {
    await inspector.with(async (page, { answers, faults }) => {
      const tries = await page.evaluate(async () => {
        const refused = async (work) => work().then(() => "went out", () => "refused");
        const tries = [await refused(() => fetch("https://evil.example/fetch"))];
        const image = new Image();
        tries.push(await refused(() => new Promise((done, failed) => Object.assign(image, { onload: done, onerror: failed, src: "https://evil.example/image" }))));
        tries.push(await refused(async () => document.body.insertAdjacentHTML("beforeend", "<b>markup</b>")));
        tries.push(await refused(async () => new Function("return 1")()));
        return tries;
      });
      equal(tries, ["refused", "refused", "refused", "refused"]);
      equal(answers, [SERVED]);
      equal((await page.evaluate("window.violations")).length > 0, true);
      // These violations were expected.
      await page.evaluate("window.violations = []");
      faults.length = 0;
    });
  },

  async "a token goes into no address, history, storage, cookie or title"() {
    await inspector.with(async (page) => {
      const before = await page.evaluate("history.length");
      await choose(page, "Admitted");
      const kept = await page.evaluate(async () => ({
        url: location.href,
        history: [history.length, history.state],
        stored: [localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length, (await caches.keys()).length],
        title: document.title,
      }));
      equal(kept, { url: SERVED, history: [before, null], stored: [0, 0, "", 0, 0], title: "Countersign inspector" });
      await page.reload();
      equal(await page.inputValue("#token"), "");
      const fields = await page.$$eval("form input, form textarea", (all) => all.map((field) => [field.autocomplete, field.spellcheck]));
      equal(fields.every(([complete, check]) => complete === "off" && !check), true);
    });
  },

  async "every example has its expected result"() {
    await inspector.with(async (page) => {
      for (const { name, expect, entries } of examples) {
        await ask(page, entries);
        const { headline, code } = await seen(page);
        equal([name, expect === "allow" ? "Allowed" : expect === "undecided" ? null : expect], [name, headline === "Allowed" ? "Allowed" : code]);
      }
    });
  },

  async "the response is exactly the package’s"() {
    await inspector.with(async (page) => {
      await ask(page, example("Scope missing"));
      const { http } = await seen(page);
      equal(http.startsWith("HTTP/1.1 403 Forbidden\n"), true);
      equal(http.includes('www-authenticate: Bearer realm="platform", error="insufficient_scope", error_description="the token scopes do not suffice", scope="assets:read"\n'), true);
      equal(http.endsWith('\n\n{"code":"scope_insufficient","message":"the token scopes do not suffice"}'), true);
    });
  },

  async "a policy that demands the host's own cryptography is refused, with a clear sentence"() {
    await inspector.with(async (page) => {
      const { policy } = example("Admitted");
      await ask(page, { policy: `${policy.trimEnd()}\nsignatures: native\n` });
      const { headline, problems, steps } = await seen(page);
      equal([headline, problems.length, steps], ["The policy is not usable", 1, []]);
      equal(problems[0].includes("/signatures") && problems[0].includes("this host verifies signatures in the module"), true);
    });
  },

  async "a policy with problems shows all of them with their places, and there is no decision"() {
    await inspector.with(async (page) => {
      await choose(page, "Broken policy");
      const { headline, problems, steps, text } = await seen(page);
      equal([headline, problems.length, steps, text.includes("UNVERIFIED")], ["The policy is not usable", 4, [], true]);
      equal(problems.some((problem) => problem.startsWith("line 12, column 23 · /rules/0/publik")), true);
      // For JSON, the messages are the gate's own.
      const policy = '{\n  "contract": "2",\n  "nonsense": 1\n}';
      const error = await rejects(createGate(policy), CountersignError);
      await ask(page, { policy });
      const told = (await seen(page)).problems;
      equal(told.length, error.problems.length);
      for (const { message, code } of error.problems) equal(told.some((one) => one.includes(message.replaceAll("`", "")) && one.endsWith(code)), true);
      equal(told.some((one) => one.startsWith("line 3, column 3 · /nonsense")), true);
      await ask(page, { policy: "a: [1\nb: 2" });
      equal((await seen(page)).problems[0].startsWith("line 2, column 1"), true);
    });
  },

  async "the warnings of a policy are shown with their lines, beside the decision"() {
    await inspector.with(async (page) => {
      const good = example("Admitted");
      const policy = good.policy.replace("forward:", "  - { path: /healthz, public: true }\nforward:");
      await ask(page, { ...good, policy });
      const { headline, problems } = await seen(page);
      equal([headline, problems.length], ["Allowed", 1]);
      equal(problems[0].startsWith("line 18, column 7 · /rules/3/path"), true);
      equal(problems[0].endsWith("unreachable"), true);
      equal(await page.$$eval("#policy-lines .unsure", (all) => all.map((line) => line.textContent)), ["18"]);
      await ask(page, { policy });
      equal((await seen(page)).problems.length, 1);
    });
  },

  async "without keys it shows which are missing, and with a wrong key set, why it is not used"() {
    await inspector.with(async (page) => {
      await choose(page, "No keys");
      const lacking = await seen(page);
      equal([lacking.headline, lacking.code, lacking.http, lacking.steps.at(-1).verdict], ["No keys, no decision", null, null, "wait"]);
      equal(lacking.text.includes("https://auth.example.com/.well-known/jwks.json"), true);
      await ask(page, { ...example("Admitted"), keys: '{"keys":[{"kty":"RSA","kid":"2026-11","n":"AQAB","e":"AQAB"}]}' });
      const wrong = await seen(page);
      equal([wrong.headline, wrong.code], ["Denied", "keys_unavailable"]);
      equal(wrong.problems.length > 0 && wrong.problems.every((problem) => problem.startsWith("key set")), true);
    });
  },

  async "keys for discovery, and revocations, can be pasted"() {
    await inspector.with(async (page) => {
      const good = example("Admitted");
      const policy = good.policy.replace(/keys: \{.*\}/, 'keys: { discovery: true }\n    revocations: { uri: "https://auth.example.com/revoked.json", required: true }');
      await ask(page, { ...good, policy });
      equal((await seen(page)).headline, "No revocations, no decision");
      await page.fill("#revoked", '{"jti":["9f0c2a77"]}');
      await page.waitForFunction(() => document.querySelector(".facts .code")?.textContent === "token_revoked");
      await page.fill("#revoked", '{"jti":["another"]}');
      await page.waitForFunction(() => document.querySelector("#results h2").textContent === "Allowed");
      await ask(page, { ...good, policy, keys: "" });
      equal((await seen(page)).text.includes("https://auth.example.com/.well-known/openid-configuration"), true);
    });
  },

  async "a token without a request is checked, also with `Authorization: Bearer` before it"() {
    await inspector.with(async (page) => {
      const { token, policy, keys, time } = example("Admitted");
      await ask(page, { token: ` Authorization: Bearer ${token}\n`, policy, keys, time });
      const { headline, steps, text } = await seen(page);
      equal([headline, steps.at(-1).check, text.includes("Only the token was checked")], ["Allowed", "rule.origin", true]);
    });
  },

  async "numbers keep their digits, and errors of time and headers are shown at their fields"() {
    await inspector.with(async (page) => {
      const claims = Buffer.from('{"id":12345678901234567890,"ratio":1.10}').toString("base64url");
      await ask(page, { token: `eyJhbGciOiJSUzI1NiJ9.${claims}.AA`, time: "yesterday", headers: "a: 1\nnonsense" });
      const { text } = await seen(page);
      equal([text.includes("12345678901234567890"), text.includes("1.10")], [true, true]);
      const hints = await page.$$eval("#time-hint, #headers-hint", (all) => all.map((hint) => hint.textContent));
      equal(hints, ["expected NAME: VALUE in line 2", "expected a moment such as 2026-11-21T09:30:00Z, or seconds since 1970"]);
      equal(await page.getAttribute("#time", "aria-invalid"), "true");
    });
  },

  async "it is accessible: axe finds nothing, in light and dark, on a desktop and on a phone"() {
    for (const colorScheme of ["light", "dark"]) {
      for (const device of [{}, phone]) {
        await inspector.with(async (page) => {
          await page.evaluate(axe);
          for (const name of [undefined, "Admitted", "Expired", "No keys", "Broken policy", "Only a token"]) {
            if (name) await choose(page, name);
            const { violations } = await page.evaluate("axe.run()");
            equal([name, violations.map(({ id, nodes }) => [id, nodes[0].html])], [name, []]);
          }
          for (const summary of await page.$$("summary")) await summary.click();
          equal((await page.evaluate("axe.run()")).violations.map(({ id }) => id), []);
          await page.waitForFunction(() => document.querySelector("#make-claims").value !== "");
          await page.click("#make-sign");
          await page.waitForFunction(() => document.querySelector("#make-hint").textContent.startsWith("Signed"));
          equal((await page.evaluate("axe.run()")).violations.map(({ id }) => id), []);
        }, { ...device, colorScheme });
      }
    }
  },

  async "everything can be used with the keyboard alone, with a visible focus"() {
    await inspector.with(async (page) => {
      await page.keyboard.press("Tab");
      equal(await page.evaluate("document.activeElement.className"), "skip");
      await page.keyboard.press("Enter");
      equal(await page.evaluate("document.activeElement.id"), "results");
      await page.reload();
      const reached = [];
      for (;;) {
        await page.keyboard.press("Tab");
        const here = await page.evaluate(async () => {
          // The line with the verdict appears after the next frame.
          for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
          const { tagName, name, className, id, textContent } = document.activeElement;
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
          return { tagName, label: name || id || className || textContent, outlined: outlineStyle !== "none" && outlineWidth !== "0px" };
        });
        if (here.tagName === "BODY" || reached.length > 40) break;
        equal([here.label, here.outlined], [here.label, true]);
        reached.push(here.label);
        if (here.label === "Another tenant") await page.keyboard.press("Enter");
        if (here.label === "target") {
          await page.keyboard.type("/orgs/acme/seats");
          await page.waitForFunction(() => document.querySelector("#results h2").textContent === "Allowed");
        }
      }
      equal(reached, ["skip", ...examples.map(({ name }) => name), "clear", "token", "Policy, keys, request, time", "policy", "keys", "method", "target", "headers", "time", "Make a token", ...RESULTS]);
    });
  },

  async "on a phone nothing overflows, and the results are near"() {
    await inspector.with(async (page) => {
      for (const { name } of examples) {
        await choose(page, name);
        equal([name, await page.evaluate("document.documentElement.scrollWidth")], [name, 375]);
      }
      equal(await page.evaluate("document.querySelector('details').open"), false);
    }, phone);
  },

  async "it contains the module that was built, and its footer has the digest"() {
    const built = readFileSync(new URL("../../../dist/countersign.wasm.sha256", import.meta.url), "utf8").split(" ")[0];
    await inspector.with(async (page) => equal(await page.textContent("#digest"), built));
    const [base64] = html.match(/AGFzbQ[A-Za-z0-9+/=]+/g);
    equal(digestOf(Buffer.from(base64, "base64")), built);
    equal(html.split("AGFzbQ").length, 2);
  },
});
