// Tests the example in Next.js, with one of its bundlers and the gate on one of its runtimes, by HTTP and by a browser.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request as send } from "node:http";
import { connect } from "node:net";
import { equal } from "./assert.mjs";
import { launch } from "./browser.mjs";
import { answers, build, example, freePort, nextProgram, variant } from "./next-build.mjs";
import { run } from "./run.mjs";

const SOURCES = ["app", "lib", "next.config.ts", "package.json", "proxy.ts", "public", "tsconfig.json"];

/** `bundler` is `turbopack` or `webpack`; the gate is a `proxy` on Node.js or a `middleware` on the edge runtime. */
export async function openNext(bundler, kind) {
  const folder = variant(`${bundler}-${kind}`);
  copy(folder, kind);
  const [port, issuerPort] = [await freePort(), await freePort()];
  const base = `http://localhost:${port}`;
  const environment = {
    ...process.env,
    NEXT_TELEMETRY_DISABLED: "1",
    COUNTERSIGN_SECRET: "a secret for the tests, of 32 characters or more",
    NEXTAUTH_SECRET: "another secret for the tests",
    NEXTAUTH_URL: base,
    PLATFORM_URL: `http://127.0.0.1:${issuerPort}`,
    PLATFORM_SECRET: "for the tests",
  };
  const start = (program, port) => spawn(process.execPath, program, { cwd: folder, env: { ...environment, PORT: String(port) }, stdio: ["ignore", "pipe", "pipe"] });

  const refused = await build(folder, bundler, { ...environment, PLATFORM_URL: "no address" });
  const { code, said } = await build(folder, bundler, environment);
  if (code !== 0) throw new Error(said);
  const issuer = start([`${example}platform.mjs`], issuerPort);
  const server = start([nextProgram, "start", "--hostname", "localhost"], port);
  await Promise.all([answers(`${environment.PLATFORM_URL}/jwks.json`), answers(base)]);

  const exchange = async (claims) => {
    const headers = { authorization: `Secret ${environment.PLATFORM_SECRET}` };
    const response = await fetch(`${environment.PLATFORM_URL}/exchange`, { method: "POST", headers, body: JSON.stringify(claims) });
    return (await response.json()).token;
  };
  return {
    name: `Next.js, ${bundler}, ${kind}`,
    play: async () => run({ ...requests(base, exchange), ...roundabout(port, base, exchange), ...built(refused), ...pages(base) }),
    async close() {
      for (const child of [server, issuer]) {
        child.kill();
        await once(child, "exit");
      }
    },
  };
}

function requests(base, exchange) {
  const get = (path, headers = {}, init = {}) => fetch(base + path, { redirect: "manual", ...init, headers });
  const bearer = (token) => ({ authorization: `Bearer ${token}` });

  return {
    async "an API is 401 without a token, 403 without the scope, 200 with both"() {
      const missing = await get("/api/assets");
      equal([missing.status, missing.headers.get("www-authenticate")], [401, 'Bearer realm="countersign"']);
      equal((await missing.json()).code, "token_missing");
      const weak = await exchange({ subject: "alice", tenant: "acme", scope: "other" });
      equal((await get("/api/assets", bearer(weak))).status, 403);
      const good = await exchange({ subject: "alice", tenant: "acme" });
      const granted = await get("/api/assets", bearer(good));
      equal(granted.status, 200);
      const { caller, subject } = await granted.json();
      equal([caller.subject, caller.tenant, caller.tokenType, caller.scopes, subject], ["alice", "acme", "pat", ["api:assets:read"], "alice"]);
    },

    async "a caller cannot be forged, and not be taken from another request"() {
      const good = await exchange({ subject: "alice", tenant: "acme" });
      const made = encodeURIComponent(JSON.stringify({ caller: { subject: "admin" }, until: 1e15 }));
      const headers = { ...bearer(good), "x-auth-subject": "admin", "x-countersign-caller": `${made}.AAAA` };
      const { caller, subject } = await (await get("/api/assets", headers)).json();
      equal([caller.subject, subject], ["alice", "alice"]);
    },

    async "a header of Next.js's own does not lead around the gate"() {
      for (const value of ["proxy", "middleware", "proxy:proxy:proxy:proxy:proxy", "middleware:middleware:middleware:middleware:middleware"]) {
        equal((await get("/api/assets", { "x-middleware-subrequest": value })).status, 401);
      }
    },

    async "a node's token is accepted in its cookie, on its origin, for its path"() {
      const node = await exchange({ subject: "node-7", tenant: "acme", typ: "nat", scope: "node:ingest" });
      const cookie = { cookie: `node_session=${node}` };
      const post = (headers) => get("/api/node", { ...cookie, ...headers }, { method: "POST" });
      const granted = await post({ origin: base });
      equal([granted.status, await granted.json()], [200, { node: "node-7", type: "nat" }]);
      equal((await post({ origin: "https://evil.example" })).status, 403);
      equal((await get("/api/assets", cookie)).status, 403);
    },

    async "a dashboard is for its own tenant"() {
      const cookie = { cookie: `platform_session=${await exchange({ subject: "alice", tenant: "acme" })}` };
      equal((await get("/acme/dashboard", cookie)).status, 200);
      equal((await get("/globex/dashboard", cookie)).status, 403);
      const away = await get("/acme/dashboard", { accept: "text/html" });
      equal([away.status, new URL(away.headers.get("location"), base).pathname], [303, "/"]);
    },

    async "a request that matches no rule is denied"() {
      equal((await get("/somewhere/else", bearer(await exchange({ subject: "alice", tenant: "acme" })))).status, 403);
    },
  };
}

/** Requests for a page by another URL, over a socket, because the parser of a client would correct them. */
function roundabout(port, base, exchange) {
  const ask = async (target, headers = [], method = "GET") => {
    const sent = send({ host: "localhost", port, path: target, method, headers: ["host", `localhost:${port}`, "connection", "close", ...headers.flat()] });
    sent.end();
    const [response] = await once(sent, "response");
    let body = "";
    for await (const part of response) body += part;
    return { status: response.statusCode, headers: response.headers, body };
  };
  const bearer = async () => [["authorization", `Bearer ${await exchange({ subject: "alice", tenant: "acme" })}`]];

  return {
    async "paths of static files do not lead to a page below them or to a server action"() {
      const names = ["favicon.ico", "_next/static", "_next/static/chunks", "_next/image", "_next/data", "_next", "robots.txt", "sitemap.xml", "api", "badge.png", "public", "static", "(.)acme", "%28..%29acme"];
      const starts = ["/", "/./", "/%2e/", "/a/../", "//"];
      for (const name of names) {
        for (const start of starts) {
          for (const end of ["/dashboard", "x/dashboard", "/dashboard/", "/../acme/dashboard", "/%2e%2e/acme/dashboard", "/..%2facme/dashboard", "/dashboard.rsc", "/dashboard?_rsc=1"]) {
            for (const method of ["GET", "POST"]) {
              const target = `${start}${name}${end}`;
              const { status, body } = await ask(target, [["next-action", "0".repeat(42)]], method);
              equal([target, status === 200, body.includes("caller")], [target, false, false]);
            }
          }
        }
      }
    },

    async "static files are public, but no other paths below theirs"() {
      const { body } = await ask("/");
      const [script] = /\/_next\/static\/[^"\\]+\.js/.exec(body);
      equal((await ask(script)).status, 200);
      equal((await ask(script, [], "POST")).status === 200, false);
    },

    async "shared caches store a public prerendered page, but not a protected one"() {
      equal((await ask("/handbook")).status, 401);
      const granted = await ask("/handbook", await bearer());
      equal([granted.status, granted.headers["cache-control"]], [200, "private, no-cache"]);
      for (const target of ["/handbook.rsc", "/handbook?_rsc=1", "/_next/data/x/handbook.json"]) equal((await ask(target)).status === 200, false);
    },

    async "the connection of a denied upgrade is closed"() {
      for (const target of ["/acme/dashboard", "/handbook", "/nowhere"]) {
        const socket = connect(port, "localhost");
        socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n`);
        socket.setTimeout(5_000, () => socket.destroy(new Error(`${target} is left open`)));
        socket.resume();
        await once(socket, "end");
        socket.destroy();
      }
    },

    async "an image is protected, also through the image optimizer"() {
      const small = "/_next/image?url=%2Fbadge.png&w=64&q=75";
      equal((await ask("/badge.png")).status, 401);
      equal((await ask(small)).status, 401);
      equal((await ask("/badge.png", await bearer())).status, 200);
      // Next.js reads the image without credentials, so it never gets and caches it.
      equal((await ask(small, await bearer())).status, 401);
      for (const odd of ["/_next/image", "/_next/image?url=badge.png&w=64&q=75", "/_next/image?url=%2F%2Fevil.example%2Fx&w=64&q=75", `${small}&url=%2Fx`, "/_next/image?url=%2Facme%2Fdashboard&w=64&q=75"]) {
        equal([odd, [400, 401, 403].includes((await ask(odd)).status)], [odd, true]);
      }
    },
  };
}

function built({ code, said }) {
  return {
    async "an error in the policy fails the build with its message"() {
      equal([code === 0, said.includes("the policy is not usable"), said.includes("/issuers/0/keys/jwks_uri")], [false, true, true]);
    },
  };
}

function pages(base) {
  return {
    async "in a browser a user signs in and sees the own dashboard and no other"() {
      const browser = await launch();
      try {
        const page = await browser.newPage();
        const sent = [];
        page.on("request", (request) => sent.push(request));
        await page.goto(`${base}/acme/dashboard`);
        equal(new URL(page.url()).pathname, "/");
        await page.getByLabel("Name").fill("alice");
        await page.getByLabel("Tenant").fill("acme");
        await page.getByRole("button").click();
        await page.waitForURL("**/acme/dashboard");
        equal(await page.locator("#caller").textContent(), "alice");
        const call = sent.find((request) => request.url().endsWith("/api/assets"));
        equal((await call.response()).status(), 200);
        equal((await page.goto(`${base}/globex/dashboard`)).status(), 403);
      } finally {
        await browser.close();
      }
    },
  };
}

function copy(folder, kind) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const source of SOURCES) cpSync(example + source, `${folder}/${source}`, { recursive: true });
  if (kind === "proxy") return;
  const code = readFileSync(`${folder}/proxy.ts`, "utf8").replace("const proxy", "const middleware");
  writeFileSync(`${folder}/proxy.ts`, code);
  renameSync(`${folder}/proxy.ts`, `${folder}/middleware.ts`);
}
