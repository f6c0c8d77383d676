import { build } from "esbuild";

const folder = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

/** Bundles the package and its tests for a runtime, with the conditions of its bundlers. */
export async function bundle({ conditions, format, globalName, wasm }) {
  const { outputFiles } = await build({
    entryPoints: [`${folder}/entry.mjs`],
    bundle: true,
    write: false,
    format,
    globalName,
    platform: "neutral",
    target: "es2022",
    conditions,
    logLevel: "error",
    plugins: [inside, { name: "wasm", setup: wasm ?? (() => {}) }],
  });
  return outputFiles[0].text;
}

/** Internal modules of the package, with which a test controls the clock. */
const inside = {
  name: "inside",
  setup({ onResolve }) {
    onResolve({ filter: /^countersign-inside\// }, ({ path }) => ({
      path: `${folder}/node_modules/countersign/esm/${path.split("/")[1]}`,
    }));
  },
};
