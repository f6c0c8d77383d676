// Serves a runtime by the harness protocol, with the additional command `play` for the suite:
// `node harness.mjs RUNTIME [--signatures module|native|webcrypto]`.

import { createInterface } from "node:readline";

const { open } = await import(`./runtimes/${process.argv[2]}.mjs`);
const [option, signatures = "module"] = process.argv.slice(3);
if (option !== undefined && option !== "--signatures") throw new Error(`unknown option: ${option}`);
const runtime = await open(signatures);
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  console.log(JSON.stringify(await (command.play ? runtime.play() : runtime.answer(command))));
}
await runtime.close();
