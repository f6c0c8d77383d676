// Keys and signatures (Key documents; jwks.*, pem.*, signature.*), by WebCrypto.

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** token.canonical. */
export function unbase64url(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new Error("alphabet");
  const data = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
  if (base64url(data) !== text) throw new Error("bits left over");
  return data;
}

export function base64url(data: Uint8Array): string {
  return base64(data).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function base64(data: Uint8Array): string {
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return btoa(text);
}

const RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const HMAC = ["HS256", "HS384", "HS512"];
const CURVES: Record<string, { size: number; algorithm: string; order: bigint }> = {
  "P-256": { size: 32, algorithm: "ES256", order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
  "P-384": { size: 48, algorithm: "ES384", order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n },
  "P-521": { size: 66, algorithm: "ES512", order: 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n },
};
export const ALGORITHMS = [...RSA, ...HMAC, "ES256", "ES384", "ES512", "EdDSA"];

/** algorithm.ed25519. */
export function known(algorithm: string): string {
  return algorithm === "Ed25519" ? "EdDSA" : algorithm;
}

/** A usable key: for one algorithm, by its kid. */
export interface Key {
  kid: string | undefined;
  algorithm: string;
  key: CryptoKey;
  bytes: number;
}

type Spec = Record<string, unknown>;
type Imported = { fitting: string[]; bytes: number; load: (algorithm: string) => Promise<CryptoKey> };

/** A key of a JWK Set; undefined where it is skipped. */
export async function jwk(spec: Spec, algorithms: string[], use: string | undefined): Promise<Key | undefined> {
  const isPrivate = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].some((name) => name in spec);
  const isForThis = use === undefined ? (spec.use ?? "sig") === "sig" : spec.use === use;
  const verifies = spec.key_ops === undefined || (spec.key_ops as string[]).includes("verify");
  if (isPrivate || !isForThis || !verifies) return undefined;
  try {
    return await named(spec, algorithms, publicKey(spec));
  } catch {
    return undefined;
  }
}

function publicKey(spec: Spec): Imported {
  const member = (name: string) => tolerant(spec[name]);
  const plain = (name: string) => base64url(member(name));
  if (spec.kty === "RSA") {
    const [n, e] = [whole(member("n")), whole(member("e"))];
    return rsa(n, e);
  }
  if (spec.kty === "EC") {
    const { size, algorithm } = CURVES[spec.crv as string] as (typeof CURVES)[string];
    if (member("x").length !== size || member("y").length !== size) throw new Error("size");
    const key = { kty: "EC", crv: spec.crv as string, x: plain("x"), y: plain("y") };
    return { fitting: [algorithm], bytes: 2 * size, load: (alg) => crypto.subtle.importKey("jwk", key, parameters(alg), false, ["verify"]) };
  }
  if (spec.kty !== "OKP" || spec.crv !== "Ed25519" || !goodPoint(member("x"))) throw new Error("kty");
  return ed25519(member("x"));
}

/** jwks.rsa-size, jwks.rsa-exponent, jwks.encoding. */
function rsa(n: bigint, e: bigint): Imported {
  const bits = n.toString(2).length;
  if (bits < 2048 || bits > 8192 || n % 2n === 0n || e % 2n === 0n || e < 3n || e >= 1n << 32n) throw new Error("RSA");
  const key = { kty: "RSA", n: base64url(big(n)), e: base64url(big(e)) };
  return { fitting: RSA, bytes: Math.ceil(bits / 8), load: (alg) => crypto.subtle.importKey("jwk", key, parameters(alg), false, ["verify"]) };
}

function ed25519(x: Uint8Array): Imported {
  return { fitting: ["EdDSA"], bytes: 64, load: () => crypto.subtle.importKey("raw", x as BufferSource, "Ed25519", false, ["verify"]) };
}

/** pem.key, pem.certificate: the SubjectPublicKeyInfo is read by hand, as its key's kind decides. */
export async function pem(spec: Spec, algorithms: string[]): Promise<Key | undefined> {
  const text = spec.pem as string;
  const body = /-----BEGIN [A-Z ]+-----([^-]*)-----END/.exec(text)?.[1] ?? "";
  const der = Uint8Array.from(atob(body.replace(/\s/g, "")), (one) => one.charCodeAt(0));
  let info = new Der(der);
  if (text.includes("CERTIFICATE")) {
    const parts = new Der(der).inside().inside();
    if (parts.tag === 0xa0) parts.skip(); // the version
    for (let skipped = 0; skipped < 5; skipped++) parts.skip(); // number, algorithm, issuer, validity, subject
    info = parts;
  }
  const parts = info.inside();
  const algorithm = parts.inside();
  const oid = hex(algorithm.content());
  parts.skip();
  const bits = parts.content().subarray(1);
  if (oid === "2a864886f70d010101") {
    const numbers = new Der(bits).inside();
    const n = whole(numbers.content());
    numbers.skip();
    return named(spec, algorithms, rsa(n, whole(numbers.content())));
  }
  if (oid === "2b6570") return named(spec, algorithms, ed25519(bits));
  const size = (bits.length - 1) / 2;
  const [name] = Object.entries(CURVES).find(([, curve]) => curve.size === size) ?? [];
  const [x, y] = [bits.subarray(1, 1 + size), bits.subarray(1 + size)].map(base64url);
  return named(spec, algorithms, publicKey({ kty: "EC", crv: name, x, y }));
}

class Der {
  readonly #data: Uint8Array;
  #at = 0;
  constructor(data: Uint8Array) {
    this.#data = data;
  }
  get tag(): number {
    return this.#data[this.#at] as number;
  }
  #span(): [number, number] {
    let at = this.#at + 1;
    let length = this.#data[at++] as number;
    if (length > 0x80) {
      const bytes = length - 0x80;
      length = 0;
      for (let one = 0; one < bytes; one++) length = length * 256 + (this.#data[at++] as number);
    }
    return [at, at + length];
  }
  content(): Uint8Array {
    return this.#data.subarray(...this.#span());
  }
  inside(): Der {
    return new Der(this.content());
  }
  skip(): void {
    this.#at = this.#span()[1];
  }
}

export async function secret(spec: Spec, algorithms: string[]): Promise<Key | undefined> {
  const bytes = unbase64url(spec.k as string);
  const load = (alg: string) => crypto.subtle.importKey("raw", bytes as BufferSource, parameters(alg), false, ["verify"]);
  return named(spec, algorithms, { fitting: HMAC, bytes: 0, load });
}

/** jwks.alg, jwks.one-algorithm. */
async function named(spec: Spec, algorithms: string[], imported: Imported): Promise<Key | undefined> {
  const { kid, alg } = spec;
  if ((kid !== undefined && typeof kid !== "string") || (alg !== undefined && typeof alg !== "string")) return undefined;
  const candidates = algorithms.filter((one) => imported.fitting.includes(one));
  const algorithm = alg === undefined ? (candidates.length === 1 ? (candidates[0] as string) : "") : known(alg);
  if (!imported.fitting.includes(algorithm)) return undefined;
  return { kid, algorithm, bytes: imported.bytes, key: await imported.load(algorithm) };
}

/** jwks.tolerated: padding and plain base64 too. */
function tolerant(text: unknown): Uint8Array {
  if (typeof text !== "string") throw new Error("type");
  const plain = text.length % 4 === 0 ? text.replace(/=+$/, "") : text;
  return unbase64url(plain.replaceAll("+", "-").replaceAll("/", "_"));
}

function parameters(algorithm: string) {
  const hash = `SHA-${algorithm.slice(2)}`;
  switch (algorithm.slice(0, 2)) {
    case "RS":
      return { name: "RSASSA-PKCS1-v1_5", hash };
    case "PS":
      return { name: "RSA-PSS", hash, saltLength: Number(algorithm.slice(2)) / 8 };
    case "HS":
      return { name: "HMAC", hash };
    case "ES":
      return { name: "ECDSA", hash, namedCurve: { ES256: "P-256", ES384: "P-384", ES512: "P-521" }[algorithm] as string };
    default:
      return { name: "Ed25519" };
  }
}

/** signature.*. */
export async function verifies(key: Key, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (key.bytes > 0 && signature.length !== key.bytes) return false;
  const curve = Object.values(CURVES).find((one) => one.algorithm === key.algorithm);
  if (curve !== undefined) {
    const numbers = [signature.subarray(0, curve.size), signature.subarray(curve.size)].map(whole);
    if (numbers.some((one) => one === 0n || one >= curve.order)) return false;
  }
  if (key.algorithm === "EdDSA" && !goodPoint(signature.subarray(0, 32))) return false;
  return crypto.subtle.verify(parameters(key.algorithm), key.key, signature as BufferSource, data as BufferSource);
}

const P25519 = (1n << 255n) - 19n;
const LOW_ORDER = [
  0n,
  1n,
  P25519 - 1n,
  whole(fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05").reverse()),
  whole(fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a").reverse()),
];

/** jwks.ed25519, signature.ed25519: canonical and not of low order. */
function goodPoint(data: Uint8Array): boolean {
  const y = whole(Uint8Array.from(data).reverse()) & ((1n << 255n) - 1n);
  return data.length === 32 && y < P25519 && !LOW_ORDER.includes(y);
}

function whole(data: Uint8Array): bigint {
  return data.length === 0 ? 0n : BigInt(`0x${hex(data)}`);
}
function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
function big(number: bigint): Uint8Array {
  const text = number.toString(16);
  return fromHex(text.length % 2 === 0 ? text : `0${text}`);
}
function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}
