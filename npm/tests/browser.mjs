// Finds Chromium: the one in `CHROMIUM`, the system's, or one from an npm package, which needs no rights to install.

import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const PLACES = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter), "/Applications/Chromium.app/Contents/MacOS", "/Applications/Google Chrome.app/Contents/MacOS"];
const installed = fileURLToPath(new URL("node_modules/@sparticuz/chromium/", import.meta.url));

/** A browser, with its version and origin as `name`. It does not change the environment of this process. */
export async function launch() {
  const packed = await unpacked();
  const { executablePath, libraries, origin } = system() ?? { ...packed, origin: "the packed one" };
  const env = { ...process.env, FONTCONFIG_FILE: fontsFile(packed.fonts) };
  if (libraries) env.LD_LIBRARY_PATH = [libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], env });
  return Object.assign(browser, { name: `Chromium ${browser.version()}, ${origin}` });
}

/** The program in `CHROMIUM` must work. Others may be only scripts that explain how to install Chromium. */
function system() {
  const { CHROMIUM } = process.env;
  if (CHROMIUM) {
    execFileSync(CHROMIUM, ["--version"]);
    return { executablePath: CHROMIUM, origin: CHROMIUM };
  }
  for (const executablePath of PLACES.flatMap((place) => [...NAMES, "Chromium", "Google Chrome"].map((name) => join(place, name)))) {
    if (existsSync(executablePath) && starts(executablePath)) return { executablePath, origin: executablePath };
  }
  return undefined;
}

function starts(path) {
  try {
    execFileSync(path, ["--version"], { stdio: "ignore", timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * The package unpacks itself and its libraries for AWS Lambda into `TMPDIR`, and changes the environment.
 * So it runs once, in its own process. The folder gets its final name when it is complete.
 */
async function unpacked() {
  const { version } = JSON.parse(readFileSync(`${installed}package.json`, "utf8"));
  const folder = fileURLToPath(new URL(`node_modules/.chromium-${version}`, import.meta.url));
  if (!existsSync(folder)) {
    const growing = mkdtempSync(`${folder}-`);
    const env = { ...process.env, TMPDIR: growing, AWS_LAMBDA_JS_RUNTIME: `nodejs${process.versions.node.split(".")[0]}.x` };
    const unpack = 'await (await import("@sparticuz/chromium")).default.executablePath()';
    await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", unpack], { cwd: installed, env });
    try {
      renameSync(growing, folder);
    } catch (error) {
      rmSync(growing, { recursive: true });
      if (!existsSync(folder)) throw error;
    }
  }
  return { executablePath: join(folder, "chromium"), libraries: join(folder, "al2023/lib"), fonts: join(folder, "fonts") };
}

/** The package's own file names folders that do not exist, and Chromium crashes without any font. This one has the system's fonts and the package's. */
function fontsFile(fonts) {
  const { FONTCONFIG_FILE, FONTCONFIG_PATH = "/etc/fonts" } = process.env;
  const of = FONTCONFIG_FILE ?? join(FONTCONFIG_PATH, "fonts.conf");
  const folder = fileURLToPath(new URL("node_modules/.fonts", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const parts = [`<include ignore_missing="yes">${of}</include>`, `<dir>${fonts}</dir>`, `<cachedir>${folder}</cachedir>`];
  const text = `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>${parts.join("")}</fontconfig>\n`;
  const file = join(folder, `${createHash("sha256").update(text).digest("hex")}.conf`);
  writeFileSync(file, text);
  return file;
}
