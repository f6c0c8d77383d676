// Replaces the documents of issuers by the pasted ones: nothing is fetched.

import type { Fetcher } from "countersign";
import type { Opened } from "./policy.js";

/** The pasted documents; empty if nothing was pasted. */
export interface Pasted {
  readonly keys: string;
  readonly revocations: string;
}

/** The `jwks_uri` of the metadata that the gate needs first if the policy uses discovery. This address is never fetched. */
const JWKS_URI = "https://given.invalid/jwks.json";
const METADATA = "/.well-known/openid-configuration";

/** Answers the gate's fetches with the pasted documents; a fetch of one that was not pasted fails. */
export function fetcher({ issuers }: Opened, pasted: Pasted): Fetcher {
  const revocations = new Set(issuers.flatMap((issuer) => issuer.revocations?.uri ?? []));
  const discovered = issuers.filter(({ keys }) => keys.discovery);
  return async (uri) => {
    const found = uri.endsWith(METADATA) && discovered.find(({ issuer }) => uri === issuer.replace(/\/$/, "") + METADATA);
    const text = revocations.has(uri) ? pasted.revocations : pasted.keys;
    if (text === "") throw new Error("nothing was pasted");
    return new Response(found ? JSON.stringify({ issuer: found.issuer, jwks_uri: JWKS_URI }) : text);
  };
}
