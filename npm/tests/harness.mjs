// A runtime behind the harness protocol: `node harness.mjs RUNTIME`.

import { createInterface } from "node:readline";

const { open } = await import(`./runtimes/${process.argv[2]}.mjs`);
const runtime = await open();
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await runtime.answer(JSON.parse(line))));
}
await runtime.close();
