// The tarball that is tested: of the release in COUNTERSIGN_TARBALL, or the one that was packed last.

import { readFileSync } from "node:fs";
import { env } from "node:process";
import { fileURLToPath } from "node:url";

const { version } = JSON.parse(readFileSync(new URL("../package/package.json", import.meta.url), "utf8"));

export const tarball = env.COUNTERSIGN_TARBALL ?? fileURLToPath(new URL(`../../dist/countersign-${version}.tgz`, import.meta.url));
