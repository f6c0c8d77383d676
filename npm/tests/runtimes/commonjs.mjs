// This Node.js, with the package that `require` finds.

import { createRequire } from "node:module";
import { openHost } from "../host.mjs";
import { run } from "../run.mjs";
import { suite } from "../suite.mjs";

export async function open() {
  const require = createRequire(import.meta.url);
  const library = require("countersign");
  const { Generation } = require("../node_modules/countersign/cjs/generation.js");
  const { strings } = require("../node_modules/countersign/cjs/request.js");
  let host;
  return {
    name: `require in Node.js ${process.versions.node}`,
    play: () => run(suite(library, { shared: true })),
    answer: async (command) => (await (host ??= openHost(library, { Generation, strings })))(command),
    close() {},
  };
}
