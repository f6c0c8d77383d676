// The browsers of these tests, as later suites of the same process find them.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { equal } from "../assert.mjs";
import { launch } from "../browser.mjs";
import { run } from "../run.mjs";

const before = { ...process.env };

export async function open() {
  const browser = await launch();
  await browser.close();
  return { name: `launches of ${browser.name}`, play: () => run(launches), close() {} };
}

const launches = {
  async "a launch does not change the environment"() {
    await shown();
    const names = Object.keys({ ...before, ...process.env });
    equal(names.filter((name) => process.env[name] !== before[name]), []);
  },

  async "several browsers show text, with the system's fonts and without any"() {
    const { FONTCONFIG_FILE } = process.env;
    const folder = mkdtempSync(join(tmpdir(), "no fonts "));
    const none = join(folder, "fonts.conf");
    writeFileSync(none, "<fontconfig></fontconfig>");
    try {
      for (const file of [FONTCONFIG_FILE, none, FONTCONFIG_FILE, none]) {
        set("FONTCONFIG_FILE", file);
        equal(await shown(), true);
      }
    } finally {
      set("FONTCONFIG_FILE", FONTCONFIG_FILE);
      rmSync(folder, { recursive: true });
    }
  },

  async "the program in CHROMIUM runs, and no other"() {
    const { CHROMIUM } = process.env;
    set("CHROMIUM", "/nowhere/chromium");
    try {
      equal(await launch().then(() => "launched", ({ code }) => code), "ENOENT");
    } finally {
      set("CHROMIUM", CHROMIUM);
    }
  },
};

/** Whether text is displayed: a wide letter is wider than a narrow one in every font. */
async function shown() {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.setContent('<span style="font-family: sans-serif">WWWW</span><br><span style="font-family: sans-serif">iiii</span>');
    const [wide, narrow] = await page.evaluate(() => [...document.querySelectorAll("span")].map((span) => span.getBoundingClientRect().width));
    return wide > narrow && narrow > 0;
  } finally {
    await browser.close();
  }
}

function set(name, value) {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
