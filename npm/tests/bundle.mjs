import { build } from "esbuild";

const folder = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

/** The package and its tests for a runtime, as a bundler for it would resolve them. */
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

/** Modules that the package does not export: where the clock is the caller's. */
const inside = {
  name: "inside",
  setup({ onResolve }) {
    onResolve({ filter: /^countersign-inside\// }, ({ path }) => ({
      path: `${folder}/node_modules/countersign/esm/${path.split("/")[1]}`,
    }));
  },
};
