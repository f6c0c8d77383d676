// Chromium as an npm package, so that it needs nobody's rights to be installed.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export async function launch() {
  const folder = fileURLToPath(new URL("node_modules/.chromium", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const environment = { ...process.env };
  // It unpacks itself there, with the libraries that it brings for AWS Lambda.
  Object.assign(process.env, { TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: `nodejs${process.versions.node.split(".")[0]}.x` });
  const { default: packed } = await import("@sparticuz/chromium");
  const executablePath = await packed.executablePath();
  const { LD_LIBRARY_PATH = "" } = process.env;
  return chromium.launch({ executablePath, args: ["--no-sandbox"], env: { ...environment, LD_LIBRARY_PATH } });
}
