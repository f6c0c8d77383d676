// A runtime that runs the tests of Node.js in another program.

import { spawn } from "node:child_process";
import { chmodSync, globSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** `program` is a pattern under `node_modules`, because npm chose the package for the platform. */
export async function openChild(name, program, before, signatures) {
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const [path] = globSync(`${cwd}node_modules/${program}`);
  if (!path) throw new Error(`${name} is not installed`);
  chmodSync(path, 0o755);
  const child = spawn(path, [...before, "harness.mjs", "node", ...(signatures ? ["--signatures", signatures] : [])], { cwd, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (command) => {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return JSON.parse((await lines.next()).value);
  };
  return { name, play: () => answer({ play: {} }), answer, close: () => void child.stdin.end() };
}
