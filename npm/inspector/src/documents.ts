// What was pasted stands in for what issuers publish: nothing is fetched.

import type { Fetcher } from "countersign";
import type { Opened } from "./policy.js";

/** Documents as they were pasted; empty where nothing was. */
export interface Pasted {
  readonly keys: string;
  readonly revocations: string;
}

/** Whoever gives the keys has no need of metadata, but the gate asks for it first. The address is never used. */
const GIVEN = "https://given.invalid/jwks.json";
const METADATA = "/.well-known/openid-configuration";

/** Answers the gate with what was pasted, and with nothing where nothing was. */
export function fetcher({ issuers }: Opened, pasted: Pasted): Fetcher {
  const revocations = new Set(issuers.flatMap((issuer) => issuer.revocations?.uri ?? []));
  const discovered = issuers.filter(({ keys }) => keys.discovery);
  return async (uri) => {
    const found = uri.endsWith(METADATA) && discovered.find(({ issuer }) => uri === issuer.replace(/\/$/, "") + METADATA);
    const text = revocations.has(uri) ? pasted.revocations : pasted.keys;
    if (text === "") throw new Error("nothing was pasted");
    return new Response(found ? JSON.stringify({ issuer: found.issuer, jwks_uri: GIVEN }) : text);
  };
}
