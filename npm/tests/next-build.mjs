// Applications of Next.js, built below the example: Next.js and its peers are installed there.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

export const example = fileURLToPath(new URL("../examples/next/", import.meta.url));

/** The folder of a built copy of an application. */
export const variant = (name) => `${example}.variants/${name}`;

export const nextProgram = `${example}node_modules/next/dist/bin/next`;

/** Runs `next build`, and returns its exit code and its output. */
export async function build(folder, bundler, environment) {
  const child = spawn(process.execPath, [nextProgram, "build", `--${bundler}`], { cwd: folder, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  const said = text(child);
  const [code] = await once(child, "exit");
  return { code, said: await said };
}

async function text({ stdout, stderr }) {
  let text = "";
  await Promise.all([stdout, stderr].map(async (stream) => {
    for await (const part of stream) text += part;
  }));
  return text;
}

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Waits until a server answers with any status. */
export async function answers(url) {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await fetch(url).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not answer`);
}
