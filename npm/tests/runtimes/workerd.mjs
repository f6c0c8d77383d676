// Cloudflare's workerd, through miniflare.

import { readFileSync } from "node:fs";
import { Miniflare, Response } from "miniflare";
import { equal } from "../assert.mjs";
import { bundle } from "../bundle.mjs";
import { issuer, token } from "../issuer.mjs";
import { run } from "../run.mjs";

const WORKER = `
import { answer, library, play, policy } from "./tests.mjs";
const gate = library.createGate(policy);
export default {
  async fetch(request, _, context) {
    const { pathname } = new URL(request.url);
    if (pathname === "/play") return Response.json(await play(false));
    if (pathname === "/answer") return Response.json(await answer(await request.json()));
    const decision = await (await gate).check(request, context);
    return decision.allow ? Response.json(decision.principal) : library.answer(decision);
  },
};
`;

export async function open() {
  const tests = await bundle({ conditions: ["workerd"], format: "esm", wasm });
  const file = readFileSync(new URL("../node_modules/countersign/countersign.wasm", import.meta.url));
  const keys = await issuer();
  const miniflare = new Miniflare({
    compatibilityDate: "2026-01-01",
    async outboundService({ url }) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return new Response(await (await keys.fetch(url)).text());
    },
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
    async play() {
      const inside = await fetch("/play", "{}");
      const outside = await run(requests(miniflare));
      return { passed: inside.passed + outside.passed, faults: [...inside.faults, ...outside.faults] };
    },
    answer: (command) => fetch("/answer", JSON.stringify(command)),
    close: () => miniflare.dispose(),
  };
}

function requests(miniflare) {
  return {
    async "requests that come together do not hang on what another one fetches"() {
      const headers = { authorization: `Bearer ${await token()}` };
      const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => miniflare.dispatchFetch(`http://api.example.com/assets/${n}`, { headers })));
      equal(answers.map(({ status }) => status), [200, 200, 200, 200, 200]);
      equal((await answers[0].json()).subject, "user-1");
      const denied = await miniflare.dispatchFetch("http://api.example.com/assets/1");
      equal([denied.status, (await denied.json()).code], [401, "token_missing"]);
    },
  };
}

function wasm({ onResolve }) {
  onResolve({ filter: /\.wasm$/ }, () => ({ path: "./countersign.wasm", external: true }));
}
