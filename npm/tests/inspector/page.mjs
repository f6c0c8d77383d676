// Opens pages of the inspector, and records their requests, violations of their Content-Security-Policy, and errors.

import { readFileSync } from "node:fs";
import { equal } from "../assert.mjs";
import { launch } from "../browser.mjs";

const FILE = new URL("../../../dist/inspector/index.html", import.meta.url);
export const html = readFileSync(FILE, "utf8");
export const SERVED = "https://inspector.example/";

/** Each test has its own page. At its end there must be no error and no violation. */
export async function open() {
  const browser = await launch();
  return {
    browser: browser.name,
    close: () => browser.close(),
    async with(work, { from = SERVED, ...options } = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
      const page = await context.newPage();
      const [requests, answers, faults] = [[], [], []];
      context.on("request", (request) => requests.push(request.url()));
      context.on("response", (response) => answers.push(response.url()));
      page.on("pageerror", (error) => faults.push(String(error)));
      page.on("console", (message) => faults.push(message.text()));
      await page.addInitScript(() => {
        window.violations = [];
        document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
      });
      await context.route(SERVED, (route) => route.fulfill({ contentType: "text/html", body: html }));
      await context.route("https://evil.example/**", (route) => route.fulfill({ body: "caught" }));
      await page.goto(from);
      try {
        await work(page, { requests, answers, faults });
        equal(faults, []);
        equal(await page.evaluate("window.violations"), []);
      } finally {
        await context.close();
      }
    },
  };
}

export const fromFile = { from: FILE.href };
export const phone = { viewport: { width: 375, height: 740 }, isMobile: true, hasTouch: true };

/** Fills the form (all other fields are empty) and waits for the results. */
export function ask(page, entries) {
  return page.evaluate(async (entries) => {
    const shown = new Promise((resolve) => new MutationObserver(resolve).observe(document.querySelector("#results"), { childList: true }));
    const form = document.querySelector("form");
    for (const field of form.elements) if (field.name) field.value = entries[field.name] ?? "";
    form.dispatchEvent(new Event("input"));
    await shown;
  }, entries);
}

/** The results: the headline, the problems, the checks, the response to the client. */
export function seen(page) {
  return page.evaluate(() => {
    const texts = (selector) => [...document.querySelectorAll(`#results ${selector}`)].map((element) => element.textContent);
    const steps = [...document.querySelectorAll("#results .steps > li")].map((row) => ({
      check: row.querySelector(".check").firstChild.data,
      verdict: row.className,
      detail: row.querySelector(".detail").textContent,
    }));
    return { headline: texts("h2")[0], code: texts(".facts .code")[0] ?? null, problems: texts(".problems li"), steps, http: texts(".http")[0] ?? null, text: texts("section").join("\n") };
  });
}

/** Presses an example's button and waits for its results, which replace those before. */
export async function choose(page, example) {
  const shown = page.evaluate(() => new Promise((resolve) => new MutationObserver(() => resolve()).observe(document.querySelector("#results"), { childList: true })));
  await page.click(`#examples button:text-is("${example}")`);
  await shown;
  await page.waitForFunction(() => document.querySelector("#results .verdict")?.classList.contains("calm") === false);
}
