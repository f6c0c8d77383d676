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
const kept = [];
export default {
  async fetch(request, env, context) {
    const { pathname, hostname } = new URL(request.url);
    if (pathname === "/play") return Response.json(await play(false));
    if (pathname === "/answer") return Response.json(await answer(...(await request.json())));
    if (pathname === "/documents") return Response.json((await gate).documents());
    if (pathname === "/status") return Response.json((await own(hostname, env)).status());
    if (pathname === "/inits") return Response.json(await inits());
    // As in Cloudflare, \`host\` is the host of the URL; miniflare sets its own.
    const asked = new Request(request);
    asked.headers.set("host", hostname);
    const decision = await (await own(hostname, env)).check(asked, context);
    return decision.allow ? Response.json(decision.principal) : library.answer(decision);
  },
};

// One gate for each host other than the first, so that each test has its own.
const gates = {};
function own(hostname, env) {
  if (hostname === "api.example.com") return gate;
  const policyOfHost = JSON.parse(JSON.stringify(policy).replaceAll("//auth.example.com/jwks.json", "//" + hostname + "/jwks.json"));
  const documents = hostname === "stored.example" ? JSON.parse(env.DOCUMENTS) : [];
  return (gates[hostname] ??= library.createGate(policyOfHost, { documents }));
}

async function inits() {
  const { fetch } = globalThis;
  const seen = [];
  globalThis.fetch = async (_, init) => (seen.push(init), Response.json({ keys: [] }));
  await (await library.createGate(policy)).preload();
  globalThis.fetch = fetch;
  return seen;
}
`;

export async function open(signatures) {
  const tests = await bundle({ conditions: ["workerd"], format: "esm", wasm: asFile });
  const file = readFileSync(new URL("../node_modules/countersign/countersign.wasm", import.meta.url));
  const keys = await issuer();
  const miniflare = new Miniflare({
    compatibilityDate: "2026-01-01",
    async outboundService({ url }) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (url.includes("down.example")) return (await keys.fetch(url), new Response("no", { status: 500 }));
      if (url.includes("slow.example")) await new Promise((resolve) => setTimeout(resolve, 1_000));
      return new Response(await (await keys.fetch(url)).text());
    },
    bindings: { DOCUMENTS: JSON.stringify([{ issuer: "platform", kind: "jwks", uri: "https://stored.example/jwks.json", cacheControl: "", body: JSON.stringify({ keys: keys.jwks }), fetchedAtMs: Date.now() }]) },
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
      const outside = await run(requests(miniflare, keys));
      return { passed: inside.passed + outside.passed, faults: [...inside.faults, ...outside.faults] };
    },
    answer: (command) => fetch("/answer", JSON.stringify([command, signatures])),
    close: () => miniflare.dispose(),
  };
}

function requests(miniflare, keys) {
  const bearer = async () => ({ authorization: `Bearer ${await token()}` });
  const fetched = (host) => keys.fetched.filter(({ uri }) => uri.includes(host)).length;
  const together = async (host, init) => Promise.all([1, 2, 3, 4, 5].map((n) => miniflare.dispatchFetch(`http://${host}/assets/${n}`, init)));

  return {
    async "concurrent requests make one fetch, and none waits for another's promise"() {
      const answers = await together("api.example.com", { headers: await bearer() });
      equal(answers.map(({ status }) => status), [200, 200, 200, 200, 200]);
      equal((await answers[0].json()).subject, "user-1");
      equal(fetched("auth.example.com"), 1);
      const denied = await miniflare.dispatchFetch("http://api.example.com/assets/1");
      equal([denied.status, (await denied.json()).code], [401, "token_missing"]);
    },

    async "an issuer that is down fails once, for any number of waiting requests"() {
      const answers = await together("down.example", { headers: await bearer() });
      equal(answers.map(({ status }) => status), [503, 503, 503, 503, 503]);
      equal(fetched("down.example"), 1);
      const { documents: [{ failures }] } = await (await miniflare.dispatchFetch("http://down.example/status")).json();
      equal(failures, 1);
    },

    async "a request whose client disconnects does not cancel the fetch for others"() {
      const abort = new AbortController();
      const gone = miniflare.dispatchFetch("http://slow.example/assets/1", { headers: await bearer(), signal: abort.signal }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 300));
      const others = together("slow.example", { headers: await bearer() });
      abort.abort();
      await gone;
      equal((await others).map(({ status }) => status), [200, 200, 200, 200, 200]);
    },

    async "with documents from a store, nothing is fetched"() {
      const answers = await together("stored.example", { headers: await bearer() });
      equal(answers.map(({ status }) => status), [200, 200, 200, 200, 200]);
      equal(fetched("stored.example"), 0);
      const [document] = await (await miniflare.dispatchFetch("http://api.example.com/documents")).json();
      equal([document.issuer, document.kind, JSON.parse(document.body).keys.length], ["platform", "jwks", keys.jwks.length]);
    },

    async "isolates of a location share fetched documents"() {
      const [{ cf, redirect }] = await (await miniflare.dispatchFetch("http://api.example.com/inits")).json();
      equal([cf.cacheTtlByStatus["200-299"], cf.cacheTtlByStatus["300-599"], redirect], [30, -1, "manual"]);
    },
  };
}

export function asFile({ onResolve }) {
  onResolve({ filter: /\.wasm$/ }, () => ({ path: "./countersign.wasm", external: true }));
}
