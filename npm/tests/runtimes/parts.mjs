// What gates are made of, where the outside cannot see its bounds.

import { createRequire } from "node:module";
import { equal } from "../assert.mjs";
import { example } from "../next-build.mjs";
import { run } from "../run.mjs";

const inside = (name) => import(new URL(`../node_modules/countersign/esm/${name}.js`, import.meta.url));
const { Kept } = await inside("kept");
const { Recent } = await inside("recent");
const { Rooms } = await inside("rooms");
const { Flights } = await inside("flights");
const { nextTurn, wallMs } = await inside("clock");
const { seal, unseal } = await inside("handover");
const { nextTarget } = await inside("next-target");

// Next.js's own reading of addresses, as `skipProxyUrlNormalize` has it built.
process.env.__NEXT_NO_MIDDLEWARE_URL_NORMALIZE = "true";
const { NextURL } = createRequire(import.meta.url)(`${example}node_modules/next/dist/server/web/next-url.js`);

export async function open() {
  return { name: "parts of a gate", play: () => run(parts), close() {} };
}

const parts = {
  async "requirements: the least used is forgotten, by number and by characters"() {
    const recent = new Recent(3, 100);
    for (const text of ["a", "b", "c"]) recent.set(text, text);
    equal(recent.get("a"), "a");
    recent.set("d", "d");
    equal([recent.get("b") ?? null, recent.get("a"), recent.get("c"), recent.get("d")], [null, "a", "c", "d"]);
    recent.set("x".repeat(98), 1);
    equal([recent.get("a") ?? null, recent.get("c"), recent.get("d")], [null, "c", "d"]);
    recent.set("y".repeat(101), 1);
    equal([recent.get("d") ?? null, recent.get("y".repeat(101)) ?? null], [null, null]);
    recent.set("e", 5);
    equal(recent.get("e"), 5);
  },

  async "grants: no more characters than are allowed, whatever tokens hold"() {
    const kept = new Kept(4, 100);
    const grants = [1, 2, 3, 4, 5].map((number) => ({ number }));
    grants.forEach((grant, index) => kept.set(index + 1, grant, 20));
    equal([kept.get(1) ?? null, kept.get(5)], [null, grants[4]]);
    kept.set(6, grants[0], 90);
    equal([kept.get(5) ?? null, kept.get(6)], [null, grants[0]]);
    kept.set(7, grants[1], 101);
    equal([kept.get(7) ?? null, kept.get(6) ?? null], [null, null]);
  },

  async "rooms: an issuer's is full while another's is not, and places come free"() {
    const rooms = new Rooms(2);
    const leave = [rooms.enter(["a"]), rooms.enter(["a", "b", "a"])];
    equal([typeof leave[0], typeof leave[1], rooms.enter(["a"]) ?? null, rooms.enter(["b", "a"]) ?? null, typeof rooms.enter(["b"])], ["function", "function", null, null, "function"]);
    leave[0]();
    equal([typeof rooms.enter(["a"]), rooms.enter(["a"]) ?? null], ["function", null]);
  },

  async "flights: one for a source at an address, and a lost one is nobody's"() {
    const flights = new Flights(false);
    const at = (uri) => ({ source: 1, uri });
    let land;
    const first = flights.start(at("https://a.example"), 5_000, () => new Promise((resolve) => (land = resolve)));
    equal([flights.underWay(at("https://a.example")) === first, flights.underWay(at("https://b.example")) ?? null], [true, null]);
    const joined = flights.join(first, Infinity);
    land();
    await joined;
    equal([first.landed, flights.underWay(at("https://a.example")) ?? null], [true, null]);
    flights.start(at("https://c.example"), -60_000, () => new Promise(() => {}));
    equal([flights.underWay(at("https://c.example")) ?? null, flights.all().length], [null, 0]);
  },

  async "a caller is believed of its own request, for ten seconds, and read by who has the secret"() {
    const secret = "a secret for the tests, of 32 characters or more";
    const request = { method: "GET", url: "http://localhost:3000/docs/orgs/acme%20b?x=1", nextUrl: { basePath: "/docs" } };
    const principal = { issuer: "platform", iss: "https://a.example", subject: "user-1", tokenType: null, tenant: null, roles: [], scopes: [], expiresAtMs: null, claimsText: "{}" };
    const sealed = await seal(principal, request, secret);
    const believed = async (written, known, by = secret) => (await unseal(written, known, by))?.subject ?? "nothing";
    for (const known of [{}, { request: { ...request, url: "https://www.example.com/orgs/acme%20b" } }, { request: { ...request, url: "http://localhost:3000/docs/orgs/acme%20b" } }, { path: "/orgs/acme%20b" }, { path: "/orgs/acme%20b/" }, { path: "/docs/orgs/acme b" }]) equal(await believed(sealed, known), "user-1");
    // Who has no secret, such as the server that a rewrite leads to, reads nothing; nor are two the same.
    equal([atob(sealed).includes("user-1"), sealed === (await seal(principal, request, secret))], [false, false]);
    for (const other of [{ ...request, method: "POST" }, { ...request, url: "http://localhost:3000/orgs/globex" }]) equal(await believed(sealed, { request: other }), "nothing");
    for (const path of ["/orgs/globex", "/orgs", "", "/acme%20b", "/docs", "/orgs/%zz"]) equal([path, await believed(sealed, { path })], [path, "nothing"]);
    equal(await believed(sealed, { request }, `${secret}.`), "nothing");
    const bytes = [...atob(sealed)];
    for (const at of [0, 31, 32, bytes.length - 1]) {
      const changed = bytes.with(at, String.fromCharCode(bytes[at].charCodeAt(0) ^ 1)).join("");
      equal(await believed(btoa(changed), { request }), "nothing");
    }
    for (const made of ["", ".", "x.y", sealed.slice(0, -4), btoa('{"caller":null,"until":1e15}')]) equal(await believed(made, {}), "nothing");
    // That nobody is calling is said too.
    equal(await unseal(await seal(null, request, secret), { request }, secret), null);
    const { now } = Date;
    try {
      for (const laterMs of [11_000, -11_000]) {
        Date.now = () => now() + laterMs;
        equal(await believed(sealed, { request }), "nothing");
      }
    } finally {
      Date.now = now;
    }
  },

  async "what Next.js serves is what is judged, or nothing is"() {
    const i18n = { locales: ["en", "de"], defaultLocale: "en" };
    const target = (path, nextConfig = {}) => {
      const url = `http://127.0.0.1:3000${path}`;
      const { judged, served } = nextTarget({ url, nextUrl: new NextURL(url, { nextConfig }) }) ?? { judged: "nothing", served: url };
      equal(served.startsWith("http://127.0.0.1:3000"), true);
      return [judged, served.slice("http://127.0.0.1:3000".length)];
    };
    const judged = (...given) => target(...given)[0];
    for (const same of ["/", "/x?a=b", "/x.rsc", "/x/", "/a%20b"]) equal(target(same), [same, same]);
    equal([target("/_next/data/b/x.json"), target("/_next/data/b/index.json?a=b"), target("/_next/data/b/x/y.json")], [["/x", "/x"], ["/?a=b", "/?a=b"], ["/x/y", "/x/y"]]);
    equal([target("/_next/data/b/x.rsc.json"), target("/_next/data/b/_next/data/c/x.json.json")], [["/x.rsc", "/x.rsc"], ["/_next/data/c/x.json", "/_next/data/c/x.json"]]);
    equal([target("/de/x", { i18n }), target("/de", { i18n }), target("/_next/data/b/de/x.json", { i18n }), target("/_next/data/b/de.json", { i18n })], [["/x", "/de/x"], ["/", "/de"], ["/x", "/de/x"], ["/", "/de"]]);
    equal([target("/x", { i18n }), target("/_next/x", { i18n }), target("/", { i18n })], [["/x", "/en/x"], ["/_next/x", "/_next/x"], ["/", "/en"]]);
    const below = { basePath: "/docs", i18n };
    equal([target("/docs/x", below), target("/docs", below), target("/docs/de/x", below), target("/docs/_next/data/b/de/x.json", below)], [["/docs/x", "/docs/en/x"], ["/docs", "/docs/en"], ["/docs/x", "/docs/de/x"], ["/docs/x", "/docs/de/x"]]);
    equal([judged("/_next/image?url=%2Fx.png&w=1"), judged("/_next/image?url=https%3A%2F%2Fa.example%2Fx"), judged("/_next/image/?url=%2Fx")], ["/x.png", "/_next/image?url=https%3A%2F%2Fa.example%2Fx", "/x"]);
    for (const odd of ["/_next/image", "/_next/image?url=x", "/_next/image?url=//a.example/x", "/_next/image?url=/x&url=/y", "/(.)x", "/feed/(..)photo/1", "/a/%28.%29x", "/a/(%2e)x", "/a/%28%2e.)x/y", "/_next/data/b/(.)x.json"]) equal([odd, judged(odd)], [odd, "nothing"]);
  },

  async "clocks: only a number from 0 on is a time"() {
    equal([wallMs(() => 5), wallMs(() => 0)], [5, 0]);
    for (const odd of [() => null, () => "5", () => 5n, () => -1, () => NaN, () => Infinity, () => undefined, () => { throw new Error("no"); }]) equal(Number.isNaN(wallMs(odd)), true);
  },

  async "slices: the event loop turns between them, also where there is no `setImmediate` and no timer"() {
    const order = [];
    setImmediate(() => order.push("other"));
    await nextTurn();
    order.push("slice");
    equal(order, ["other", "slice"]);
    const { setImmediate: immediate, setTimeout: timeout } = globalThis;
    try {
      globalThis.setImmediate = undefined;
      await nextTurn();
      globalThis.setTimeout = () => {
        throw new Error("not in the global scope");
      };
      await nextTurn();
    } finally {
      Object.assign(globalThis, { setImmediate: immediate, setTimeout: timeout });
    }
  },
};
