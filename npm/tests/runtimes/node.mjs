// This Node.js, with the package that `import` finds.

import * as library from "countersign";
import { openHost } from "../host.mjs";
import { run } from "../run.mjs";
import { suite } from "../suite.mjs";

export async function open() {
  const inside = (name) => import(new URL(`../node_modules/countersign/esm/${name}`, import.meta.url));
  const { Generation } = await inside("generation.js");
  const { strings } = await inside("request.js");
  let host;
  return {
    name: `Node.js ${process.versions.node}`,
    play: () => run(suite(library, { shared: true })),
    answer: async (command) => (await (host ??= openHost(library, { Generation, strings })))(command),
    close() {},
  };
}
