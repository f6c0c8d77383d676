// A page in Chromium, with a Content-Security-Policy that allows it only to compile WebAssembly.

import { launch } from "../browser.mjs";
import { bundle } from "../bundle.mjs";

const PAGE = "https://tests.example/";
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";

export async function open(signatures) {
  const code = await bundle({ conditions: ["browser"], format: "iife", globalName: "tests" });
  const browser = await launch();
  const page = await browser.newPage();
  await page.route("**/*", (route) => {
    const isScript = route.request().url().endsWith(".js");
    const [contentType, body] = isScript ? ["text/javascript", code] : ["text/html", '<!doctype html><script src="/tests.js"></script>'];
    return route.fulfill({ contentType, body, headers: { "content-security-policy": POLICY } });
  });
  await page.goto(PAGE);
  return {
    name: browser.name,
    play: () => page.evaluate("tests.play(true)"),
    answer: (command) => page.evaluate(`tests.answer(${JSON.stringify(command)}, ${JSON.stringify(signatures)})`),
    close: () => browser.close(),
  };
}
