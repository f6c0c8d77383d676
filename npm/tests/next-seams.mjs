// An application in which Next.js serves another page than the URL says: base path, locales, data, images, intercepting routes,
// rewrites to another server, and a matcher that misses a path.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as send } from "node:http";
import { fileURLToPath } from "node:url";
import { equal } from "./assert.mjs";
import { issuer, policy, token } from "./issuer.mjs";
import { client } from "./proofs.mjs";
import { answers, build, example, freePort, nextProgram, variant } from "./next-build.mjs";
import { run } from "./run.mjs";

const source = fileURLToPath(new URL("next-seams/", import.meta.url));

/** The line in README.md. */
const [MATCHER] = /^export const config = .*;/m.exec(readFileSync(new URL("../package/README.md", import.meta.url), "utf8"));

const scoped = (path, scope) => ({ path, require: { scopes: [scope] } });

const RULES = [
  scoped("/docs", "root"),
  scoped("/docs/who", "who"),
  scoped("/docs/alias", "who"),
  scoped("/docs/static", "static"),
  scoped("/docs/handler", "handler"),
  scoped("/docs/place/{org}", "place"),
  scoped(["/docs/feed", "/docs/feed/**"], "feed"),
  scoped("/docs/photo/{id}", "photo"),
  scoped("/docs/away/**", "away"),
  scoped("/docs/badge.png", "badge"),
  scoped("/docs/api/raw", "raw"),
  scoped("/docs/{slug}", "slug"),
];

export async function openSeams() {
  const keys = await issuer();
  const away = createServer((request, response) => response.end(JSON.stringify(request.headers))).listen(0, "127.0.0.1");
  await once(away, "listening");
  const environment = {
    ...process.env,
    NEXT_TELEMETRY_DISABLED: "1",
    COUNTERSIGN_SECRET: "a secret for the tests, of 32 characters or more",
    SEAMS_POLICY: JSON.stringify({ ...policy, credentials: [...policy.credentials, { header: "authorization", scheme: "DPoP" }], dpop: { nonce: { secret_from: "nonces" } }, issuers: [{ ...policy.issuers[0], keys: { jwks: { keys: keys.jwks } } }], rules: RULES }),
    AWAY_URL: `http://127.0.0.1:${away.address().port}`,
  };
  // With and without locales, because Next.js makes a different regular expression of the matcher.
  const locales = await opened("seams-locales", { ...environment, SEAMS_LOCALES: "yes" });
  const plain = await opened("seams", environment);
  const hiding = await opened("seams-normalized", { ...environment, SEAMS_NORMALIZED: "yes" });
  return {
    name: "Next.js, seams",
    play: () => run({ ...addresses(locales, plain), ...callers(locales), ...proofs(plain), ...refusal(hiding) }),
    async close() {
      away.close();
      for (const { server } of [locales, plain, hiding]) {
        server.kill();
        await once(server, "exit");
      }
    },
  };
}

/** Builds and starts a variant. */
async function opened(name, environment) {
  const folder = variant(name);
  rmSync(folder, { recursive: true, force: true });
  cpSync(source, folder, { recursive: true });
  cpSync(`${example}tsconfig.json`, `${folder}/tsconfig.json`);
  // The matcher of the documentation, which must match every path.
  if (!environment.SEAMS_LOCALES) writeFileSync(`${folder}/proxy.ts`, readFileSync(`${folder}/proxy.ts`, "utf8").replace(/^export const config.*$/m, MATCHER));
  const { code, said } = await build(folder, "turbopack", environment);
  if (code !== 0) throw new Error(said);
  const port = await freePort();
  const server = spawn(process.execPath, [nextProgram, "start", "--hostname", "127.0.0.1", "--port", String(port)], { cwd: folder, env: environment, stdio: ["ignore", "ignore", "pipe"] });
  const faults = [];
  server.stderr.on("data", (part) => faults.push(String(part)));
  await answers(`http://127.0.0.1:${port}/docs`);
  return { server, faults, port };
}

function proofs({ port }) {
  return {
    async "a proof needs a nonce, is for the address with `https`, and is good once"() {
      const sender = await client();
      const held = await sender.token({ scope: "handler" });
      const proven = async (uri, changed) => Object.entries(await sender.headers(held, uri, "GET", changed)).flat();
      const uri = "https://app.example.com/docs/handler";
      const first = await ask(port, "/docs/handler", { headers: await proven(uri) });
      const nonce = first.headers["dpop-nonce"];
      equal([first.status, JSON.parse(first.text).code, first.headers["cache-control"], nonce.length > 20], [401, "nonce_required", "no-store", true]);
      const headers = await proven(uri, { nonce });
      const second = await ask(port, "/docs/handler", { headers });
      equal([second.status, second.text.includes("caller=user-1")], [200, true]);
      const codes = async (headers) => JSON.parse((await ask(port, "/docs/handler", { headers })).text).code;
      equal(await codes(headers), "proof_replayed");
      for (const other of ["http://app.example.com/docs/handler", "https://app.example.com/handler", "https://other.example.com/docs/handler"]) equal(await codes(await proven(other, { nonce })), "proof_invalid");
    },
  };
}

/** Sends a request over a socket, unchanged. */
async function ask(port, target, { scope, method = "GET", headers = [], body } = {}) {
  const all = ["host", "app.example.com", "connection", "close", ...headers, ...(scope === undefined ? [] : ["authorization", `Bearer ${await token({ scope })}`])];
  const sent = send({ host: "127.0.0.1", port, path: target, method, headers: all });
  sent.end(body);
  const [response] = await once(sent, "response");
  let text = "";
  for await (const part of response) text += part;
  return { status: response.statusCode, headers: response.headers, text };
}

function addresses(locales, plain) {
  /** A caller with the scope of the rule gets the page, and one with another scope does not. */
  const isFor = async (scope, { port }, targets, mark) => {
    for (const target of targets) {
      const granted = await ask(port, target, { scope });
      equal([target, granted.status, granted.text.includes(mark)], [target, 200, true]);
      equal([target, (await ask(port, target, { scope: "other" })).status, (await ask(port, target)).status], [target, 403, 401]);
    }
  };
  const below = (path, folders) => folders.map((folder) => `/docs${folder}${path}`);

  return {
    async "a base path: the gate checks the path with it, and its root too"() {
      await isFor("root", plain, ["/docs", "/docs?x=1", "/docs?_rsc=1"], "page=root");
      await isFor("who", plain, ["/docs/who", "/docs/who?x=1", "/docs/alias"], "page=who");
      await isFor("slug", plain, ["/docs/de"], "slug=de");
    },

    async "the prefix of a locale: the page and its data are checked without it, and a rewrite's destination as its source"() {
      await isFor("who", locales, ["/docs/DE/who", ...below("/who", ["", "/en", "/de"]), ...below("/alias", ["", "/en", "/de"])], "page=who");
      await isFor("who", locales, below("/who.json", ["", "/en", "/de"].map((folder) => `/_next/data/build${folder}`)), '"subject":"user-1"');
      await isFor("static", locales, ["/docs/static", "/docs/de/static", "/docs/_next/data/build/de/static.json"], "static");
      await isFor("slug", locales, ["/docs/x", "/docs/de/x", "/docs/_next/data/build/de/de.json"], "slug");
      for (const target of ["/docs", "/docs/de", "/docs/en", "/docs/_next/data/build/index.json", "/docs/_next/data/build/en.json"]) equal([target, (await ask(locales.port, target)).status], [target, 401]);
    },

    async "case, endings and older builds do not lead around the gate"() {
      for (const { port } of [locales, plain]) {
        for (const target of ["/docs/WHO", "/docs/Static", "/docs/ALIAS"]) equal([target, (await ask(port, target, { scope: "slug" })).status], [target, 400]);
        // Next.js does not serve the ending that it hides from the proxy.
        for (const target of ["/docs/who.rsc", "/docs/_next/data/other/who.json", "/docs/_next/data/build/who.json.rsc"]) {
          equal([target, (await ask(port, target, { scope: "slug" })).status], [target, 403]);
          equal([target, (await ask(port, target, { scope: "who" })).text.includes("slug")], [target, false]);
        }
        for (const target of ["/docs/_next/foo", "/docs/_next/static/foo", "/docs/de/_next/foo", "/docs/_next/image?url=%2Fdocs%2Fbadge.png&w=64&q=75"]) equal([target, [401, 403].includes((await ask(port, target)).status)], [target, true]);
      }
    },

    async "an intercepting route is checked as the URL that it replaces, and has no URL of its own"() {
      for (const { port } of [locales, plain]) {
        for (const target of ["/docs/feed/(..)photo/1", "/docs/feed/%28..%29photo/1", "/docs/feed/(.%2e)photo/1", "/docs/(.)photo/1"]) {
          for (const scope of ["feed", "photo"]) equal([target, (await ask(port, target, { scope })).status], [target, 400]);
        }
        const headers = ["rsc", "1", "next-url", "/feed"];
        // With locales, Next.js has no intercepting routes.
        const mark = port === plain.port ? "page=intercepted" : "page=photo";
        const { location } = (await ask(port, "/docs/photo/1", { scope: "photo", headers })).headers;
        equal((await ask(port, location, { scope: "photo", headers })).text.includes(mark), true);
        equal((await ask(port, location, { scope: "feed", headers })).status, 403);
      }
    },

    async "a client cannot send an identity in a header, also in the Pages Router"() {
      for (const { port } of [locales, plain]) {
        const { text } = await ask(port, "/docs/api/raw", { scope: "raw", headers: ["X-Auth-Subject", "eve", "X_Auth_Subject", "eve", "x-auth_subject", "eve"] });
        // A proxy cannot change `rawHeaders` (NEXT.md).
        equal(JSON.parse(text), { subject: "user-1", variant: null, raw: true });
      }
    },
  };
}

function callers({ port }) {
  return {
    async "a route handler gets the caller of its own request, by method and path, with and without the base path"() {
      for (const method of ["GET", "POST"]) equal((await ask(port, "/docs/handler", { scope: "handler", method })).text, "caller=user-1 caller=user-1 fault=proxy_missing");
    },

    async "a page gets the caller of its own path, and a server action that of its own page, to whatever page it is sent"() {
      for (const org of ["acme", "a%20b", "a@b"]) equal([org, (await ask(port, `/docs/place/${org}`, { scope: "place" })).text.includes("caller=user-1")], [org, true]);
      const { text } = await ask(port, "/docs/place/acme", { scope: "place" });
      const [, action] = /name="(\$ACTION_ID_[0-9a-f]+)"/.exec(text);
      const form = `--x\r\ncontent-disposition: form-data; name="${action}"\r\n\r\n\r\n--x--\r\n`;
      const act = async (target, scope) => {
        const headers = ["content-type", "multipart/form-data; boundary=x", "content-length", String(form.length)];
        return (await ask(port, target, { scope, method: "POST", headers, body: form })).headers.location?.split("?")[1];
      };
      equal([await act("/docs/place/acme", "place"), await act("/docs/place/globex", "place")], ["caller=user-1", "fault=proxy_missing"]);
    },

    async "without the proxy there is no caller, whatever a header contains"() {
      equal((await ask(port, "/docs/open")).text, "fault=proxy_missing fault=proxy_missing fault=proxy_missing");
    },

    async "an external rewrite cannot read the caller, and it is not accepted for another path"() {
      for (const target of ["/docs/away/x", "/docs/de/away/x"]) {
        const left = JSON.parse((await ask(port, target, { scope: "away" })).text)["x-countersign-caller"];
        equal([left.length > 100, Buffer.from(left, "base64").includes("user-1")], [true, false]);
        const answer = (await ask(port, "/docs/open", { headers: ["x-countersign-caller", left] })).text;
        equal(answer, "fault=proxy_missing fault=proxy_missing caller=user-1");
        equal((await ask(port, "/docs/handler", { headers: ["x-countersign-caller", left] })).status, 401);
      }
    },
  };
}

function refusal({ port, faults }) {
  return {
    async "an application that hides URLs from the proxy serves nothing, and logs the reason"() {
      for (const target of ["/docs", "/docs/who", "/docs/who.rsc", "/docs/handler"]) equal([target, (await ask(port, target, { scope: "who" })).status], [target, 500]);
      equal(faults.join("").includes("skipProxyUrlNormalize"), true);
    },
  };
}
