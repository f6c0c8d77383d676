// The parts of a gate whose bounds cannot be tested from outside.

import { createRequire } from "node:module";
import { equal } from "../assert.mjs";
import { policy } from "../issuer.mjs";
import { example } from "../next-build.mjs";
import { run } from "../run.mjs";

const inside = (name) => import(new URL(`../node_modules/countersign/esm/${name}.js`, import.meta.url));
const { GrantCache } = await inside("grant-cache");
const { LruCache } = await inside("lru-cache");
const { WaitLimits } = await inside("wait-limits");
const { PendingFetches } = await inside("pending-fetches");
const { nextTurn, wallMs } = await inside("clock");
const { ProofTable } = await inside("proofs");
const { addressBytes } = await inside("connection");
const { seal, unseal } = await inside("handover");
const { nextTarget } = await inside("next-target");

// Next.js's own parser of URLs, as it is built with `skipProxyUrlNormalize`.
process.env.__NEXT_NO_MIDDLEWARE_URL_NORMALIZE = "true";
const requireNext = createRequire(`${example}package.json`);
const { NextURL } = requireNext("next/dist/server/web/next-url.js");
const { NextRequest } = requireNext("next/server.js");

export async function open() {
  return { name: "parts of a gate", play: () => run(parts), close() {} };
}

/** What it returns, or that there is no place. */
function attempt(enter) {
  try {
    return enter();
  } catch (error) {
    return String(error).includes("no place") ? "no place" : String(error);
  }
}

async function withMonotonicClock(work) {
  const clock = { ms: 1_000_000 };
  const { performance: real } = globalThis;
  globalThis.performance = { now: () => clock.ms };
  try {
    await work(clock);
  } finally {
    globalThis.performance = real;
  }
}

const parts = {
  async "the proxy of Next.js that observes passes every request as it came, and tells the decision"() {
    const [{ createGate }, { protect }] = await Promise.all(["nodejs", "next"].map((name) => import(`${example}node_modules/countersign/esm/${name}.js`)));
    const told = [];
    const proxy = protect(createGate(policy, { onDecision: (event, { target }) => void told.push([event.mode, event.code, target]) }), { observe: true });
    const works = [];
    const response = await proxy(new NextRequest("https://api.example.com/assets/1?a=b", { headers: { "x-auth-subject": "admin" } }), { waitUntil: (work) => void works.push(work) });
    await Promise.all(works);
    equal([response.status, [...response.headers], told], [200, [["x-middleware-next", "1"]], [["observed", "token_missing", "/assets/1?a=b"]]]);
  },

  async "requirements: the least recently used is removed, by number and by characters"() {
    const recent = new LruCache(3, 100);
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

  async "grants: the cache is bounded in characters"() {
    const kept = new GrantCache(4, 100);
    const grants = [1, 2, 3, 4, 5].map((number) => ({ number }));
    grants.forEach((grant, index) => kept.set(index + 1, grant, 20));
    equal([kept.get(1) ?? null, kept.get(5)], [null, grants[4]]);
    kept.set(6, grants[0], 90);
    equal([kept.get(5) ?? null, kept.get(6)], [null, grants[0]]);
    kept.set(7, grants[1], 101);
    equal([kept.get(7) ?? null, kept.get(6) ?? null], [null, null]);
  },

  async "waiting: each issuer has its own limit"() {
    const limits = new WaitLimits(2);
    const releases = [limits.acquire(["a"]), limits.acquire(["a", "b", "a"])];
    equal([typeof releases[0], typeof releases[1], limits.acquire(["a"]) ?? null, limits.acquire(["b", "a"]) ?? null, typeof limits.acquire(["b"])], ["function", "function", null, null, "function"]);
    releases[0]();
    equal([typeof limits.acquire(["a"]), limits.acquire(["a"]) ?? null], ["function", null]);
  },

  async "fetches: one for a source and an address, and a lost one does not count"() {
    const pending = new PendingFetches(false);
    const at = (uri) => ({ source: 1, uri });
    let finish;
    const first = pending.start(at("https://a.example"), 5_000, () => new Promise((resolve) => (finish = resolve)));
    equal([pending.inProgress(at("https://a.example")) === first, pending.inProgress(at("https://b.example")) ?? null], [true, null]);
    const joined = pending.join(first, Infinity);
    finish();
    await joined;
    equal([first.done, pending.inProgress(at("https://a.example")) ?? null], [true, null]);
    pending.start(at("https://c.example"), -60_000, () => new Promise(() => {}));
    equal([pending.inProgress(at("https://c.example")) ?? null, pending.all().length], [null, 0]);
  },

  async "used proofs: one key has a share of the table, and a full table forgets nothing"() {
    const table = new ProofTable();
    const enter = (owner, id) => attempt(() => table.enter({ id: `${owner} ${id}`, owner: String(owner), expiresMs: 60_000 }, 0));
    for (let id = 0; id < 1_000; id++) equal(enter("flooding", id), true);
    for (let id = 1_000; id < 3_000; id++) equal(enter("flooding", id), "no place");
    equal([enter("flooding", 0), enter("flooding", 999), enter("other", 0)], [false, false, true]);
    for (let owner = 0; owner < 98_999; owner++) equal(enter(owner, 0), true);
    for (let owner = 98_999; owner < 100_000; owner++) equal(enter(owner, 0), "no place");
    equal([enter("flooding", 0), enter("other", 0), enter(0, 0), enter(98_998, 0)], [false, false, false, false]);
  },

  async "used proofs: they are forgotten when both clocks say that they have expired, and make place"() {
    await withMonotonicClock((clock) => {
      const table = new ProofTable();
      const enter = (id, expiresMs, nowMs) => attempt(() => table.enter({ id, owner: "a", expiresMs }, nowMs));
      equal([enter("short", 10_000, 0), enter("long", 60_000, 0)], [true, true]);
      clock.ms += 9_000;
      equal([enter("short", 10_000, 9_000), enter("long", 60_000, 9_000)], [false, false]);
      // Only one of the clocks has gone on.
      equal([enter("short", 10_000, 50_000), enter("long", 60_000, 99_000)], [false, false]);
      clock.ms += 3_000;
      equal([enter("short", 10_000, 10_000), enter("long", 60_000, 12_000)], [false, false]);
      clock.ms += 3_000;
      equal([enter("short", 70_000, 15_000), enter("long", 60_000, 15_000)], [true, false]);
      // A clock that is set back by an hour, and then goes on.
      clock.ms += 3_600_000;
      equal(enter("long", 60_000, 0), false);
      clock.ms += 61_000;
      equal(enter("long", 60_000, 61_000), true);
      for (let id = 0; id < 998; id++) equal(enter(String(id), 70_000, 61_000), true);
      equal(enter("one more", 70_000, 61_000), "no place");
      clock.ms += 86_400_000;
      for (let id = 0; id < 1_000; id++) equal(enter(String(id), 90_000_000, 86_461_000), true);
      equal(enter("one more", 90_000_000, 86_461_000), "no place");
    });
  },

  async "addresses: of both versions, with the name of an interface, and nothing else"() {
    const bytes = (text) => Buffer.from(addressBytes(text)).toString("hex");
    equal([bytes("10.0.200.255"), bytes("0.0.0.0"), bytes("::1"), bytes("::")], ["0a00c8ff", "00000000", `${"0".repeat(31)}1`, "0".repeat(32)]);
    equal([bytes("2001:db8::8a2e:370:7334"), bytes("fe80::1%eth0"), bytes("::ffff:10.0.0.1"), bytes("1:2:3:4:5:6:7:8")], ["20010db80000000000008a2e03707334", `fe80${"0".repeat(27)}1`, "00000000000000000000ffff0a000001", "00010002000300040005000600070008"]);
    for (const none of ["", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4:80", "a.example", "[::1]", "::1]", "::1]/x[", "1:2:3:4:5:6:7", ":::", "1::2::3", "12345::", "%eth0", "/run/socket", "0x7f.1"]) equal([none, bytes(none)], [none, ""]);
  },

  async "a caller is accepted for its own request, for ten seconds, and readable only with the secret"() {
    const secret = "a secret for the tests, of 32 characters or more";
    const request = { method: "GET", url: "http://localhost:3000/docs/orgs/acme%20b?x=1", nextUrl: { basePath: "/docs" } };
    const principal = { issuer: "platform", iss: "https://a.example", subject: "user-1", tokenType: null, tenant: null, tenants: [], roles: [], scopes: [], expiresAtMs: null, claimsText: "{}" };
    const grant = { principal, principals: { service: { ...principal, subject: "build" } } };
    const sealed = await seal(grant, request, secret);
    const accepted = async (written, known, by = secret) => (await unseal(written, known, by))?.caller.subject ?? "nothing";
    for (const known of [{}, { request: { ...request, url: "https://www.example.com/orgs/acme%20b" } }, { request: { ...request, url: "http://localhost:3000/docs/orgs/acme%20b" } }, { path: "/orgs/acme%20b" }, { path: "/orgs/acme%20b/" }, { path: "/docs/orgs/acme b" }]) equal(await accepted(sealed, known), "user-1");
    // Without the secret, for example at the target of an external rewrite, it is not readable; and it is different each time.
    equal([atob(sealed).includes("user-1"), sealed === (await seal(grant, request, secret))], [false, false]);
    for (const other of [{ ...request, method: "POST" }, { ...request, url: "http://localhost:3000/orgs/globex" }]) equal(await accepted(sealed, { request: other }), "nothing");
    for (const path of ["/orgs/globex", "/orgs", "", "/acme%20b", "/docs", "/orgs/%zz"]) equal([path, await accepted(sealed, { path })], [path, "nothing"]);
    equal(await accepted(sealed, { request }, `${secret}.`), "nothing");
    const bytes = [...atob(sealed)];
    for (const at of [0, 31, 32, bytes.length - 1]) {
      const changed = bytes.with(at, String.fromCharCode(bytes[at].charCodeAt(0) ^ 1)).join("");
      equal(await accepted(btoa(changed), { request }), "nothing");
    }
    for (const made of ["", ".", "x.y", sealed.slice(0, -4), btoa('{"caller":null,"until":1e15}')]) equal(await accepted(made, {}), "nothing");
    // An anonymous caller is sealed too.
    equal((await unseal(await seal({ principal: null, principals: {} }, request, secret), { request }, secret)).caller, null);
    equal((await unseal(sealed, { request }, secret)).principals.service.subject, "build");
    const { now } = Date;
    try {
      for (const laterMs of [11_000, -11_000]) {
        Date.now = () => now() + laterMs;
        equal(await accepted(sealed, { request }), "nothing");
      }
    } finally {
      Date.now = now;
    }
  },

  async "the target that Next.js serves is the one that is checked"() {
    const i18n = { locales: ["en", "de"], defaultLocale: "en" };
    const target = (path, nextConfig = {}) => {
      const url = `http://127.0.0.1:3000${path}`;
      const { checked, served } = nextTarget({ url, nextUrl: new NextURL(url, { nextConfig }) }) ?? { checked: "nothing", served: url };
      equal(served.startsWith("http://127.0.0.1:3000"), true);
      return [checked, served.slice("http://127.0.0.1:3000".length)];
    };
    const checked = (...given) => target(...given)[0];
    for (const same of ["/", "/x?a=b", "/x.rsc", "/x/", "/a%20b"]) equal(target(same), [same, same]);
    equal([target("/_next/data/b/x.json"), target("/_next/data/b/index.json?a=b"), target("/_next/data/b/x/y.json")], [["/x", "/x"], ["/?a=b", "/?a=b"], ["/x/y", "/x/y"]]);
    equal([target("/_next/data/b/x.rsc.json"), target("/_next/data/b/_next/data/c/x.json.json")], [["/x.rsc", "/x.rsc"], ["/_next/data/c/x.json", "/_next/data/c/x.json"]]);
    equal([target("/de/x", { i18n }), target("/de", { i18n }), target("/_next/data/b/de/x.json", { i18n }), target("/_next/data/b/de.json", { i18n })], [["/x", "/de/x"], ["/", "/de"], ["/x", "/de/x"], ["/", "/de"]]);
    equal([target("/x", { i18n }), target("/_next/x", { i18n }), target("/", { i18n })], [["/x", "/en/x"], ["/_next/x", "/_next/x"], ["/", "/en"]]);
    const below = { basePath: "/docs", i18n };
    equal([target("/docs/x", below), target("/docs", below), target("/docs/de/x", below), target("/docs/_next/data/b/de/x.json", below)], [["/docs/x", "/docs/en/x"], ["/docs", "/docs/en"], ["/docs/x", "/docs/de/x"], ["/docs/x", "/docs/de/x"]]);
    equal([checked("/_next/image?url=%2Fx.png&w=1"), checked("/_next/image?url=https%3A%2F%2Fa.example%2Fx"), checked("/_next/image/?url=%2Fx")], ["/x.png", "/_next/image?url=https%3A%2F%2Fa.example%2Fx", "/x"]);
    for (const odd of ["/_next/image", "/_next/image?url=x", "/_next/image?url=//a.example/x", "/_next/image?url=/x&url=/y", "/(.)x", "/feed/(..)photo/1", "/a/%28.%29x", "/a/(%2e)x", "/a/%28%2e.)x/y", "/_next/data/b/(.)x.json"]) equal([odd, checked(odd)], [odd, "nothing"]);
  },

  async "clocks: only a number from 0 on is a time"() {
    equal([wallMs(() => 5), wallMs(() => 0)], [5, 0]);
    for (const odd of [() => null, () => "5", () => 5n, () => -1, () => NaN, () => Infinity, () => undefined, () => { throw new Error("no"); }]) equal(Number.isNaN(wallMs(odd)), true);
  },

  async "slices: the event loop runs between them, also without `setImmediate` and timers"() {
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
