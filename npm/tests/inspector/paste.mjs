// Tokens and keys as people paste them.

import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { equal } from "../assert.mjs";
import { ask, seen } from "./page.mjs";

const examples = JSON.parse(readFileSync(new URL("../../inspector/src/examples.json", import.meta.url), "utf8"));
const admitted = examples.find(({ name }) => name === "Admitted").entries;
const { token } = admitted;
const expired = examples.find(({ name }) => name === "Expired").entries.token;
const [{ n, e }] = JSON.parse(admitted.keys).keys;
const publicKey = createPublicKey({ key: { kty: "RSA", n, e }, format: "jwk" });
const lines = token.replace(/.{64}/g, "$&\n");

const told = (page, name) => page.textContent(`#${name}-hint`);
const headlineOf = async (page, entries) => {
  await ask(page, { ...admitted, ...entries });
  const { headline, code } = await seen(page);
  return code ?? headline;
};

export const paste = (inspector) => ({
  async "a token is found in its wrapping, and the page says where"() {
    const wrapped = [
      [token, "also a header"],
      [lines, "line breaks"],
      [lines.replaceAll("\n", "\r\n   "), "line breaks"],
      [`> ${lines.replaceAll("\n", "\n> ")}`, "line breaks"],
      [`"${token}"`, "quotes"],
      [`'${lines.replaceAll("\n", "' +\n  '")}';`, "line breaks"],
      [`\`${token}\`,`, "quotes"],
      [`Bearer ${token}`, "also a header"],
      [`"Bearer ${token}"`, "also a header"],
      [`authorization: bearer ${lines}`, "line breaks"],
      [`session=${token}`, "session"],
      [`Cookie: theme=dark; __Host-session=${token}; lang=en`, "__Host-session"],
      [`curl -s https://api.example.com/ -H 'Authorization: Bearer ${token}'`, "Authorization"],
      [`x-goog-iap-jwt-assertion: ${token}`, "x-goog-iap-jwt-assertion"],
      [`https://app.example.com/callback#access_token=${token}&token_type=Bearer`, "access_token"],
      [JSON.stringify({ access_token: token, token_type: "Bearer", expires_in: 3600 }), "access_token"],
      [JSON.stringify({ id_token: expired, refresh_token: "x", access_token: token }, undefined, 2), "access_token"],
      [JSON.stringify({ data: { auth: [{ accessToken: token }] } }), "accessToken"],
      [`export TOKEN="${token}"`, "TOKEN"],
    ];
    await inspector.with(async (page) => {
      for (const [text, how] of wrapped) {
        equal([text, await headlineOf(page, { token: text })], [text, "Allowed"]);
        equal([text, (await told(page, "token")).includes(how)], [text, true]);
        equal(await page.textContent("#results .token"), token);
      }
    });
  },

  async "what is no wrapping is not mended: the module sees it"() {
    await inspector.with(async (page) => {
      for (const text of [`${token}=`, `${token}.`, token.slice(1), `${token.slice(0, 20)}!${token.slice(20)}`, "opaque", "two words"]) {
        equal([text, await headlineOf(page, { token: text })], [text, "token_malformed"]);
      }
    });
  },

  async "other tokens of a text can be chosen"() {
    await inspector.with(async (page) => {
      const text = JSON.stringify({ access_token: token, id_token: expired });
      equal(await headlineOf(page, { token: text }), "Allowed");
      await page.click("#token-hint button:text-is('id_token')");
      await page.waitForFunction(() => document.querySelector(".facts .code")?.textContent === "token_expired");
      equal(await page.inputValue("#token"), expired);
      // An opaque access token stays the one that a service would get.
      equal(await headlineOf(page, { token: JSON.stringify({ access_token: "ya29.opaque", id_token: token }) }), "token_malformed");
    });
  },

  async "the request of a curl command can be used"() {
    await inspector.with(async (page) => {
      const command = `curl 'https://api.example.com/assets/1?a=b' -X 'DELETE' \\\n  -H 'accept: it'\\''s' \\\n  -H "Authorization: Bearer ${token}" -b "theme=dark" --data-raw '{}' --compressed`;
      await ask(page, { ...admitted, token: command });
      await page.click("#token-hint button:text-is('Use the request of this command')");
      await page.waitForFunction(() => document.querySelector("#target").value.includes("?"));
      const values = await page.evaluate(() => ["method", "target", "headers"].map((id) => document.getElementById(id).value));
      equal(values, ["DELETE", "https://api.example.com/assets/1?a=b", "accept: it's\ncookie: theme=dark"]);
      await page.waitForFunction(() => document.querySelector(".facts .code")?.textContent === "rule_denied");
    });
  },

  async "one JWK, a list of keys, and PEM are read as keys"() {
    const pem = publicKey.export({ format: "pem", type: "spki" });
    const pkcs1 = publicKey.export({ format: "pem", type: "pkcs1" });
    const jwk = JSON.parse(admitted.keys).keys[0];
    const forms = [
      [admitted.keys, "JWK Set"],
      [JSON.stringify(jwk), "one key"],
      [JSON.stringify([jwk]), "a list of keys"],
      [pem, "a public key in PEM, as the key 2026-11"],
      [pem.replaceAll("\n", "\\n"), "a public key in PEM"],
      [pkcs1, "a public key in PEM"],
      [JSON.stringify({ "2026-11": pem }), "each with the kid of its member"],
    ];
    await inspector.with(async (page) => {
      for (const [keys, how] of forms) {
        equal([keys, await headlineOf(page, { keys })], [keys, "Allowed"]);
        equal([how, (await told(page, "keys")).includes(how)], [how, true]);
      }
    });
  },

  async "a certificate is read as its public key, of every kind"() {
    await inspector.with(async (page) => {
      for (const kind of ["rsa-2048-a", "rsa-3072", "ec-p256", "ec-p384", "ec-p521", "ed25519"]) {
        for (const hasVersion of [true, false]) {
          const outcome = await headlineOf(page, { keys: certificate(kind, hasVersion) });
          equal([kind, outcome], [kind, kind === "rsa-2048-a" ? "Allowed" : outcome]);
          equal([kind, await told(page, "keys")], [kind, "a public key in PEM, as the key 2026-11 of the token, for PEM names none"]);
        }
      }
    });
  },

  async "a private key is not read, and neither is broken PEM"() {
    await inspector.with(async (page) => {
      equal(await headlineOf(page, { keys: "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----" }), "No keys, no decision");
      equal([(await told(page, "keys")).startsWith("a private key"), await page.getAttribute("#keys", "aria-invalid")], [true, "true"]);
      for (const broken of ["-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nMIT/////\n-----END CERTIFICATE-----"]) {
        equal(await headlineOf(page, { keys: broken }), "No keys, no decision");
        equal((await told(page, "keys")).startsWith("PEM without a public key"), true);
      }
    });
  },
});

/** The shape of a certificate (RFC 5280 §4.1) with a test key. Its signature is empty: nobody checks it. */
function certificate(kind, hasVersion) {
  const { d, p, q, dp, dq, qi, ...jwk } = JSON.parse(readFileSync(new URL(`../../../tests/keys/${kind}.json`, import.meta.url), "utf8"));
  const spki = createPublicKey({ key: jwk, format: "jwk" }).export({ format: "der", type: "spki" });
  const empty = der(0x30);
  const version = hasVersion ? [der(0xa0, der(0x02, Buffer.of(2)))] : [];
  const toBeSigned = der(0x30, ...version, der(0x02, Buffer.of(1)), empty, empty, empty, empty, spki, der(0xa3, Buffer.alloc(200)));
  const base64 = der(0x30, toBeSigned, empty, der(0x03, Buffer.alloc(300))).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

function der(tag, ...contents) {
  const content = Buffer.concat(contents);
  const { length } = content;
  return Buffer.concat([Buffer.of(tag, ...(length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff])), content]);
}
