// Reads pasted keys: a JWK Set as it is, a lone JWK, PEM, and JSON with PEM by `kid`. Whether a key fits, the module decides.

import { keyOfCertificate, keyOfRsa } from "./der.js";

export interface KeyText {
  /** The JWK Set for the gate, or the text if it is nothing else. */
  readonly set: string;
  /** How it was read, or why it was not; empty for a JWK Set. */
  readonly how: string;
  readonly isWrong: boolean;
}

type Jwk = JsonWebKey & { readonly kid?: string };

/** `kid` is the one of the token: PEM has none, so it stands for the key that the token names. */
export async function readKeys(text: string, kid: string | undefined): Promise<KeyText> {
  const asIs = { set: text, how: "", isWrong: false };
  const json = parse(text);
  if (Array.isArray(json)) return { ...asIs, set: `{"keys":${text}}`, how: "a list of keys, read as a key set" };
  if (isObject(json) && !("keys" in json)) {
    if ("kty" in json) return { ...asIs, set: `{"keys":[${text}]}`, how: "one key, read as a key set" };
    const entries = Object.entries(json).filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1].includes(BEGIN));
    return entries.length === 0 ? asIs : ofPem(entries.flatMap(([name, pem]) => blocks(pem).map((block) => ({ ...block, kid: name }))), "each with the `kid` of its member");
  }
  if (json !== undefined || !text.includes(BEGIN)) return asIs;
  // In variables of an environment, line breaks are often written as `\n`.
  const found = blocks(text.replaceAll("\\n", "\n")).map((block) => ({ ...block, kid }));
  return ofPem(found, kid === undefined ? "without a `kid`" : `as the key \`${kid}\` of the token, for PEM names none`);
}

const BEGIN = "-----BEGIN ";

interface Block {
  readonly label: string;
  readonly der: Uint8Array<ArrayBuffer> | undefined;
  readonly kid: string | undefined;
}

async function ofPem(found: readonly Block[], whose: string): Promise<KeyText> {
  const wrong = (how: string) => ({ set: "", how, isWrong: true });
  if (found.some(({ label }) => label.endsWith("PRIVATE KEY"))) return wrong("a private key: keep it secret, and paste the public key (`openssl pkey -pubout`)");
  // Pages of other hosts have it only over HTTPS.
  if (!globalThis.crypto?.subtle) return wrong("PEM cannot be read here: the page needs HTTPS, or this machine");
  const keys = await Promise.all(found.map(toJwk));
  const read = keys.filter((key) => key !== undefined);
  if (read.length === 0) return wrong("PEM without a public key or certificate that this browser can read");
  return { set: JSON.stringify({ keys: read }), how: `${read.length === 1 ? "a public key" : `${read.length} public keys`} in PEM, ${whose}`, isWrong: false };
}

function blocks(text: string): Block[] {
  return [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g)].map(([, label = "", base64 = ""]) => ({ label, der: decode(base64), kid: undefined }));
}

function decode(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64.replace(/\s/g, "")), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

async function toJwk({ label, der, kid }: Block): Promise<Jwk | undefined> {
  if (!der) return undefined;
  const spki = label === "CERTIFICATE" ? keyOfCertificate(der) : label === "RSA PUBLIC KEY" ? keyOfRsa(der) : der;
  for (const algorithm of IMPORTS) {
    try {
      const { kty, n, e, crv, x, y } = await crypto.subtle.exportKey("jwk", await crypto.subtle.importKey("spki", spki ?? der, algorithm, true, ["verify"]));
      const members = Object.entries({ kty, kid, n, e, crv, x, y });
      return Object.fromEntries(members.filter(([, value]) => value !== undefined)) as Jwk;
    } catch {
      // A key of another kind.
    }
  }
  return undefined;
}

/** The kinds of keys that may be in a SubjectPublicKeyInfo. The hash is not part of the key. */
const IMPORTS = [
  { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  ...["P-256", "P-384", "P-521"].map((namedCurve) => ({ name: "ECDSA", namedCurve })),
  { name: "Ed25519" },
];

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
