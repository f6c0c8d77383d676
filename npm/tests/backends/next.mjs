// Next.js as `next start` runs it, with a route handler for each name. `node next.mjs build` only builds the application.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { answers, build, example, freePort, nextProgram, variant } from "../next-build.mjs";

/** The folders of the App Router, by handler. They are created here, because Windows does not allow a colon in a file name. */
const FOLDERS = {
  hosted: "hosted",
  public: "public/[[...rest]]",
  item: "items/[id]",
  edit: "items/[id]/edit",
  admin: "admin/[[...rest]]",
  report: "Reports/[id]",
  space: "a%20b",
  mail: "a@b:c/[[...rest]]",
  rest: "[[...rest]]",
};

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

const HANDLERS = `
import { headers } from "next/headers";

const isOpen = (host: string) => host.toLowerCase().replace(/:\\d*$/, "").replace(/\\.$/, "") === "open.example.com";

/** Every view of the request in a route handler. */
async function views(request: Request) {
  return [...request.headers, ...(await headers()), ...Object.entries(Object.fromEntries(request.headers))];
}

export const answering = (name: string) => async (request: Request): Promise<Response> => {
  const spoofed = (await views(request)).some(([field, value]) => field.toLowerCase().replaceAll("_", "-") === "x-auth-subject" && value !== "ada");
  // Next.js does not route by host, so the application compares it.
  const own = name !== "hosted" || isOpen(request.headers.get("host") ?? "") ? name : "rest";
  const handler = spoofed ? "spoofed" : own;
  return new Response("handler=" + handler, { headers: { "x-handler": handler } });
};
`;

const FILES = {
  "package.json": '{ "private": true }',
  "next.config.mjs": "export default { poweredByHeader: false, skipProxyUrlNormalize: true, generateBuildId: () => 'build', turbopack: { root: import.meta.dirname + '/../..' } };",
  "tsconfig.json": readFileSync(`${example}tsconfig.json`, "utf8"),
  "proxy.ts": `
import { readFileSync } from "node:fs";
import { createGate } from "countersign";
import { protect } from "countersign/next";

export const proxy = protect(createGate(JSON.parse(readFileSync(process.env.ROUTERS_POLICY!, "utf8"))));
export const config = { matcher: [{ source: "/:path*", locale: false }] };
`,
  "lib/answering.ts": HANDLERS,
  ...Object.fromEntries(
    Object.entries(FOLDERS).map(([name, folder]) => [
      `app/${folder}/route.ts`,
      `import { answering } from "${"../".repeat(folder.split("/").length + 1)}lib/answering";\nconst answer = answering("${name}");\nexport { ${METHODS.map((method) => `answer as ${method}`).join(", ")} };\n`,
    ]),
  ),
};

const folder = variant("routers");
// A build is reused as long as neither this application nor the package changes.
const entry = `${example}node_modules/countersign/`;
const stamp = createHash("sha256").update(JSON.stringify(FILES));
for (const name of ["countersign.wasm.sha256", ...readdirSync(`${entry}esm`).map((name) => `esm/${name}`).filter((name) => name.endsWith(".js"))]) stamp.update(readFileSync(entry + name));
const made = stamp.digest("hex");

if (!existsSync(`${folder}/built`) || readFileSync(`${folder}/built`, "utf8") !== made) {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
    writeFileSync(`${folder}/${path}`, text);
  }
  const { code, said } = await build(folder, "turbopack", { ...process.env, NEXT_TELEMETRY_DISABLED: "1" });
  if (code !== 0) throw new Error(said);
  writeFileSync(`${folder}/built`, made);
}
if (process.argv[2] === "build") process.exit();

// Runs `next start` in this process, so that no other process is left when it ends. Its messages must not be on standard output.
const port = await freePort();
process.stdin.on("end", () => process.exit()).resume();
process.stdout.write = process.stderr.write = () => true;
process.env.ROUTERS_POLICY = process.argv[2];
process.argv = [process.argv[0], nextProgram, "start", folder, "--hostname", "127.0.0.1", "--port", String(port)];
await import(nextProgram);
await answers(`http://127.0.0.1:${port}`);
writeSync(1, `${JSON.stringify({ port })}\n`);
