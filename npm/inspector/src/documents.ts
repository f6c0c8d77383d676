// Replaces the documents of issuers by the pasted ones: nothing is fetched.

import type { Fetcher } from "countersign";
import type { KeySource, Opened } from "./policy.js";

/** The pasted documents; empty if nothing was pasted. */
export interface Pasted {
  /** The JWK Set. */
  readonly keys: string;
  /** The keys as they were pasted, for issuers that publish PEM. */
  readonly keysText: string;
  /** The `kid` for PEM that has none. */
  readonly kid: string | undefined;
  readonly revocations: string;
}

/** The `jwks_uri` of the metadata that the gate needs first if the policy uses discovery. This address is never fetched. */
const JWKS_URI = "https://given.invalid/jwks.json";
const METADATA = "/.well-known/openid-configuration";

/** Answers the gate's fetches with the pasted documents; a fetch of one that was not pasted fails. */
export function fetcher({ issuers }: Opened, pasted: Pasted): Fetcher {
  const revocations = new Set(issuers.flatMap((issuer) => issuer.revocations?.uri ?? []));
  // These are not pasted.
  const others = new Set(issuers.flatMap(({ api_keys, introspection }) => [api_keys?.uri, introspection?.uri]));
  const sources = issuers.flatMap(({ issuer, keys = [] }) => [keys].flat().map((source: KeySource) => ({ issuer, ...source })));
  const ofUri = (uri: string): string => {
    if (revocations.has(uri)) return pasted.revocations;
    if (pasted.keys === "" || others.has(uri)) return "";
    const discovered = uri.endsWith(METADATA) && sources.find(({ issuer, discovery }) => discovery && typeof issuer === "string" && uri === issuer.replace(/\/$/, "") + METADATA);
    if (discovered) return JSON.stringify({ issuer: discovered.issuer, jwks_uri: JWKS_URI });
    return sources.some(({ pem_uri }) => pem_uri === uri) ? pemByKid(pasted) : sources.some(({ pem_uri }) => isOf(pem_uri, uri)) ? pasted.keysText : pasted.keys;
  };
  return async (uri) => {
    const text = ofUri(uri);
    if (text === "") throw new Error("nothing was pasted");
    return new Response(text);
  };
}

/** Whether an address with `{kid}` in it is the one that was fetched. */
function isOf(template: string | undefined, uri: string): boolean {
  const [before, after] = template?.split("{kid}") ?? [];
  return before !== undefined && after !== undefined && uri.startsWith(before) && uri.endsWith(after);
}

/** The document of an issuer that publishes PEM: a JSON object, PEM by `kid`. */
function pemByKid({ keysText, kid }: Pasted): string {
  return keysText.startsWith("{") ? keysText : JSON.stringify({ [kid ?? ""]: keysText });
}
