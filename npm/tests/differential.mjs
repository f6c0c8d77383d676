// Random and crafted signatures: the module and the cryptography of Node.js must decide alike. `node differential.mjs [COUNT [SEED]]`.

import { constants, createHmac, createPrivateKey, createSecretKey, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { createGate } from "countersign";

const { RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_MAX_SIGN } = constants;

const BITS = { 256: 32, 384: 48, 512: 64 };
const HALF = { ES256: 32, ES384: 48, ES512: 66 };
/** The orders of the groups. */
const ORDERS = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ES384: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ES512: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  EdDSA: 2n ** 252n + 27742317777372353535851937790883648493n,
};
/** Points of small order of Ed25519, also in encodings that are not canonical. */
const SMALL = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
].map((hex) => Buffer.from(hex, "hex"));

const RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

/** The keys: the fixed ones of tests/keys, and RSA keys of odd sizes and exponents. */
function keys() {
  const fixed = (name, algorithms) => {
    const { kid, ...jwk } = JSON.parse(readFileSync(new URL(`../../tests/keys/${name}.json`, import.meta.url), "utf8"));
    return { name, algorithms, key: jwk.kty === "oct" ? createSecretKey(jwk.k, "base64url") : createPrivateKey({ key: jwk, format: "jwk" }) };
  };
  // Through PEM: in Node.js 20, the export of a key that was just generated as a `KeyObject` can wait for itself forever.
  const encodings = { publicKeyEncoding: { format: "pem", type: "spki" }, privateKeyEncoding: { format: "pem", type: "pkcs8" } };
  const rsa = (modulusLength, publicExponent) => ({ name: `rsa-${modulusLength}-${publicExponent}`, algorithms: RSA, key: createPrivateKey(generateKeyPairSync("rsa", { modulusLength, publicExponent, ...encodings }).privateKey) });
  return [
    fixed("rsa-2048-a", RSA), fixed("rsa-3072", RSA), fixed("rsa-2048-e3", RSA),
    rsa(2048, 17), rsa(2048, 65_539), rsa(2048, 2 ** 31 - 1), rsa(2049, 65_537), rsa(2050, 65_537), rsa(2055, 3), rsa(2056, 65_537), rsa(2088, 65_537),
    fixed("ec-p256", ["ES256"]), fixed("ec-p384", ["ES384"]), fixed("ec-p521", ["ES512"]), fixed("ed25519", ["EdDSA"]), fixed("hmac-512", ["HS256", "HS384", "HS512"]),
  ];
}

/** xorshift32: the same numbers for the same seed. */
function random(seed) {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** The decisions that differ between the module and each of `others`, out of `count` signatures of each of the keys and algorithms in turn. */
export async function differences(count, seed, others) {
  const pick = random(seed);
  const all = keys();
  const signers = all.flatMap(({ name, algorithms, key }) => algorithms.map((algorithm) => ({ kid: `${name} ${algorithm}`, algorithm, key })));
  const opened = await Promise.all(["module", ...others].map((signatures) => createGate(policyOf(signers), { signatures, documents: [], fetch: async () => Response.json({ keys: jwksOf(signers) }) })));
  await Promise.all(opened.map((gate) => gate.preload()));
  const said = { differences: [], codes: {} };
  for (let number = 0; number < count; number++) {
    const signer = signers[number % signers.length];
    const { token, how } = make(signer, number, pick);
    const codes = await Promise.all(opened.map(async (gate) => { const { allow, code } = await gate.verify(token); return allow ? "allow" : code; }));
    said.codes[codes[0]] = (said.codes[codes[0]] ?? 0) + 1;
    if (codes.some((code) => code !== codes[0])) said.differences.push({ number, kid: signer.kid, how, codes });
  }
  for (const gate of opened) gate.close();
  return said;
}

function policyOf(signers) {
  const algorithms = [...new Set(signers.map(({ algorithm }) => algorithm))];
  const isSecret = ({ key }) => key.type === "secret";
  const issuer = (name, keys, of) => ({ name, issuer: `https://${name}.example`, audiences: ["differences"], algorithms: algorithms.filter((algorithm) => algorithm.startsWith("HS") === (of === "secret")), keys });
  const secrets = signers.filter(isSecret).map(({ kid, algorithm, key }) => ({ kid, alg: algorithm, k: key.export().toString("base64url") }));
  return { contract: "1", issuers: [issuer("public", { jwks_uri: "https://public.example/jwks" }), issuer("secret", { secrets }, "secret")], rules: [{ path: "/", require: {} }] };
}

function jwksOf(signers) {
  return signers.filter(({ key }) => key.type !== "secret").map(({ kid, algorithm, key }) => {
    const { kty, n, e, crv, x, y } = key.export({ format: "jwk" });
    return { kid, alg: algorithm, kty, n, e, crv, x, y };
  });
}

/** A token with a signature that is valid, changed, or crafted for its algorithm. */
function make({ kid, algorithm, key }, number, pick) {
  const iss = key.type === "secret" ? "https://secret.example" : "https://public.example";
  const now = Math.floor(Date.now() / 1000);
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode({ alg: algorithm, kid })}.${encode({ iss, aud: "differences", sub: String(number), exp: now + 3_600 })}`;
  const crafts = { ...CHANGES, ...(algorithm.startsWith("PS") ? PSS : algorithm.startsWith("ES") ? ECDSA : algorithm === "EdDSA" ? EDDSA : algorithm.startsWith("RS") ? PKCS1 : {}) };
  const names = Object.keys(crafts);
  // Half of them are valid.
  const how = pick(2) === 0 ? "valid" : names[pick(names.length)];
  const signature = signed(algorithm, key, input);
  const crafted = how === "valid" ? signature : crafts[how](signature, { algorithm, key, input, pick });
  return { token: `${input}.${crafted.toString("base64url")}`, how };
}

function signed(algorithm, key, input, { hash = `sha${algorithm.slice(2)}`, saltLength = BITS[algorithm.slice(2)] } = {}) {
  if (key.type === "secret") return createHmac(hash, key).update(input).digest();
  if (algorithm === "EdDSA") return sign(null, Buffer.from(input), key);
  const padding = algorithm.startsWith("PS") ? { padding: RSA_PKCS1_PSS_PADDING, saltLength } : {};
  return sign(hash, Buffer.from(input), { key, dsaEncoding: "ieee-p1363", ...padding });
}

const CHANGES = {
  "a bit": (signature, { pick }) => (signature[pick(signature.length)] ^= 1 << pick(8), signature),
  "a byte less": (signature) => signature.subarray(1),
  "a byte more": (signature) => Buffer.concat([Buffer.of(0), signature]),
  "a zero after it": (signature) => Buffer.concat([signature, Buffer.of(0)]),
  "random bytes": (signature, { pick }) => Buffer.from(signature.map(() => pick(256))),
  zeros: (signature) => Buffer.alloc(signature.length),
  ones: (signature) => Buffer.alloc(signature.length, 0xff),
  "of another text": (_, { algorithm, key, input }) => signed(algorithm, key, `${input}x`),
};

const OTHER = { sha256: "sha384", sha384: "sha512", sha512: "sha256" };

const PKCS1 = {
  "another hash": (_, { algorithm, key, input }) => signed(algorithm, key, input, { hash: OTHER[`sha${algorithm.slice(2)}`] }),
  "PSS in place of PKCS #1": (_, { algorithm, key, input }) => signed(`PS${algorithm.slice(2)}`, key, input),
  "one of the modulus added": (signature, { key }) => plus(signature, number(key.export({ format: "jwk" }).n)),
};

const PSS = {
  "no salt": (_, { algorithm, key, input }) => signed(algorithm, key, input, { saltLength: 0 }),
  "a salt of 20 bytes": (_, { algorithm, key, input }) => signed(algorithm, key, input, { saltLength: 20 }),
  "the longest salt": (_, { algorithm, key, input }) => signed(algorithm, key, input, { saltLength: RSA_PSS_SALTLEN_MAX_SIGN }),
  "another hash": (_, { algorithm, key, input }) => signed(algorithm, key, input, { hash: OTHER[`sha${algorithm.slice(2)}`] }),
  "PKCS #1 in place of PSS": (_, { algorithm, key, input }) => signed(`RS${algorithm.slice(2)}`, key, input),
};

const ECDSA = {
  "the other s, which is valid too": (signature, { algorithm }) => half(signature, algorithm, 1, (s) => ORDERS[algorithm] - s),
  "s = 0": (signature, { algorithm }) => half(signature, algorithm, 1, () => 0n),
  "r = 0": (signature, { algorithm }) => half(signature, algorithm, 0, () => 0n),
  "s = n": (signature, { algorithm }) => half(signature, algorithm, 1, () => ORDERS[algorithm]),
  "r = n": (signature, { algorithm }) => half(signature, algorithm, 0, () => ORDERS[algorithm]),
  "r = s = 1": (signature, { algorithm }) => half(half(signature, algorithm, 0, () => 1n), algorithm, 1, () => 1n),
  "s + n": (signature, { algorithm }) => half(signature, algorithm, 1, (s) => s + ORDERS[algorithm]),
  "as DER": (_, { algorithm, key, input }) => sign(`sha${algorithm.slice(2)}`, Buffer.from(input), { key, dsaEncoding: "der" }),
};

const EDDSA = {
  "S + L": (signature) => little(signature, (s) => s + ORDERS.EdDSA),
  "S = 0": (signature) => little(signature, () => 0n),
  "R of small order, S = 0": (signature, { pick }) => Buffer.concat([SMALL[pick(SMALL.length)], Buffer.alloc(32)]),
  "R of small order": (signature, { pick }) => Buffer.concat([SMALL[pick(SMALL.length)], signature.subarray(32)]),
};

function half(signature, algorithm, which, change) {
  const length = HALF[algorithm];
  const at = which * length;
  const changed = bytes(change(BigInt(`0x${signature.toString("hex", at, at + length)}`)), length);
  return Buffer.concat([signature.subarray(0, at), changed, signature.subarray(at + length)]);
}

function little(signature, change) {
  const s = bytes(change(BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`)), 32);
  return Buffer.concat([signature.subarray(0, 32), s.reverse()]);
}

function plus(signature, modulus) {
  return bytes(BigInt(`0x${signature.toString("hex")}`) + modulus, signature.length);
}

function number(base64url) {
  return BigInt(`0x${Buffer.from(base64url, "base64url").toString("hex")}`);
}

/** The last bytes of a number. */
function bytes(value, length) {
  return Buffer.from(value.toString(16).padStart(2 * length, "0").slice(-2 * length), "hex");
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [count = 1_000, seed = 1] = argv.slice(2).map(Number);
  const start = performance.now();
  const said = await differences(count, seed, ["native", "webcrypto"]);
  console.log(JSON.stringify({ count, seed, seconds: Math.round((performance.now() - start) / 1000), ...said }, undefined, 1));
  process.exitCode = said.differences.length === 0 ? 0 : 1;
}
