// The size of a small app for an edge runtime, with Countersign or with jose.

import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const APPS = {
  countersign: ({ policy }) => `
    import { answer, createGate } from "countersign";
    const gate = createGate(${policy});
    export default { async fetch(request, environment, context) {
      const decision = await (await gate).check(request, context);
      return decision.allow ? new Response(decision.principal.subject) : answer(decision);
    } };`,
  jose: ({ issuer, audience, algorithm }) => `
    import { createRemoteJWKSet, jwtVerify } from "jose";
    const keys = createRemoteJWKSet(new URL("${issuer}/.well-known/jwks.json"));
    export default { async fetch(request) {
      const token = request.headers.get("authorization")?.slice("Bearer ".length);
      try {
        const { payload } = await jwtVerify(token, keys, { issuer: "${issuer}", audience: "${audience}", algorithms: ["${algorithm}"] });
        return new Response(payload.sub);
      } catch { return new Response(null, { status: 401 }); }
    } };`,
};

/** The size in bytes of all files: raw, and with each file compressed. */
export async function edge(library, condition, values) {
  const { outputFiles } = await build({
    stdin: { contents: APPS[library](values), resolveDir: new URL(".", import.meta.url).pathname },
    bundle: true,
    minify: true,
    write: false,
    outdir: "/",
    format: "esm",
    platform: "neutral",
    target: "es2022",
    conditions: [condition],
    loader: { ".wasm": "copy" },
    plugins: [{ name: "module", setup: module }],
    logLevel: "error",
  });
  const sum = (size) => outputFiles.reduce((total, { contents }) => total + size(contents), 0);
  return { raw: sum((bytes) => bytes.length), gzip: sum((bytes) => gzipSync(bytes, { level: 9 }).length) };
}

/** On the edge runtime, the suffix `?module` imports compiled WebAssembly. */
function module({ onResolve, resolve }) {
  onResolve({ filter: /\.wasm\?module$/ }, ({ path, ...from }) => resolve(path.replace("?module", ""), from));
}
