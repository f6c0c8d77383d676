// Chromium: the one that `CHROMIUM` names, the system's, or else one that comes as an npm package and needs nobody's rights to be installed.

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

/** A browser with a `name`, which says where it is from. This process's own environment stays as it is. */
export async function launch() {
  const packed = await unpacked();
  const { executablePath, libraries, origin } = system() ?? { ...packed, origin: "the packed one" };
  const env = { ...process.env, FONTCONFIG_FILE: fontsFile(packed.fonts) };
  if (libraries) env.LD_LIBRARY_PATH = [libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], env });
  return Object.assign(browser, { name: `Chromium ${browser.version()}, ${origin}` });
}

/** What `CHROMIUM` names has to work; of what is found, some are only told how to install it. */
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
 * The package unpacks itself into `TMPDIR`, with the libraries that it brings for AWS Lambda, and leaves settings in the environment:
 * so in a process of its own, and once. What has its last name is whole.
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

/** Its own names folders that are not there. Chromium dies where it finds no font at all: the system's, and these. */
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
