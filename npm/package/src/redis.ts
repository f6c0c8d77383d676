// Used proofs in Redis, for processes that share them.

import type { ProofStore } from "./proofs.js";

/** The part of a client of the package `redis` (or `@redis/client`) that is used. */
export interface RedisClient {
  set(key: string, value: string, options: { condition: "NX"; expiration: { type: "PXAT"; value: number } }): Promise<unknown>;
}

/** How much longer than needed an entry is kept, in case the clock of Redis is ahead of the gate's. */
const MARGIN_MS = 60_000;

/** A store for the option `proofs`: `SET prefix+id 1 NX PXAT time`. An entry is a hash; nothing of a token or a proof is stored. */
export function redisProofs(client: RedisClient, prefix = "dpop:"): ProofStore {
  return async ({ id, expiresMs }) => {
    const set = await client.set(prefix + id, "1", { condition: "NX", expiration: { type: "PXAT", value: expiresMs + MARGIN_MS } });
    if (set === "OK" || set === null) return set === "OK";
    throw new Error("Redis did not say whether the proof was entered");
  };
}
