// Cloudflare's workerd, through miniflare.

import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";
import { bundle } from "../bundle.mjs";

const WORKER = `
import { answer, play } from "./tests.mjs";
export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/play") return Response.json(await play(false));
    return Response.json(await answer(await request.json()));
  },
};
`;

export async function open() {
  const tests = await bundle({ conditions: ["workerd"], format: "esm", wasm });
  const file = readFileSync(new URL("../node_modules/countersign/countersign.wasm", import.meta.url));
  const miniflare = new Miniflare({
    compatibilityDate: "2026-01-01",
    modulesRoot: "/",
    modules: [
      { type: "ESModule", path: "/worker.mjs", contents: WORKER },
      { type: "ESModule", path: "/tests.mjs", contents: tests },
      { type: "CompiledWasm", path: "/countersign.wasm", contents: file },
    ],
  });
  const fetch = async (path, body) => (await miniflare.dispatchFetch(`http://tests.example${path}`, { method: "POST", body })).json();
  return {
    name: "workerd",
    play: () => fetch("/play", "{}"),
    answer: (command) => fetch("/answer", JSON.stringify(command)),
    close: () => miniflare.dispose(),
  };
}

function wasm({ onResolve }) {
  onResolve({ filter: /\.wasm$/ }, () => ({ path: "./countersign.wasm", external: true }));
}
