import type { Grant } from "./decision.js";
import type { Gate } from "./glue/countersign.js";
import { ofRequest } from "./grant.js";
import { GrantCache, readThrough } from "./grant-cache.js";
import type { Instance } from "./instance.js";
import type { Principal } from "./principal.js";
import { readChanges } from "./written.js";

/** The limits of a cache of grants: as many as the module remembers tokens, and their characters. */
const GRANTS = 1024;
const CHARACTERS = 4 << 20;

/** Reads the grants of a gate in one instance of the module. */
export class Granted {
  readonly #instance: Instance;
  readonly #grants = new GrantCache(GRANTS, CHARACTERS);
  /** Of the principals beside the user. They are kept apart: a token that is both has one number, but only the user's grant has its headers. */
  readonly #others = new GrantCache(GRANTS, CHARACTERS);

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /** The grant of the last check, which has allowed the request. */
  read(gate: Gate): Grant {
    const grant = readThrough(this.#instance, this.#grants, gate, gate.granted());
    const others = gate.others();
    const hasChanges = gate.hasChanges();
    if (others === undefined && !hasChanges) return grant;
    const principals = others === undefined ? undefined : this.#readOthers(gate, others);
    return ofRequest(grant, principals, hasChanges ? readChanges(gate.changes()) : undefined);
  }

  #readOthers(gate: Gate, written: string): Grant["principals"] {
    // Without a prototype, no name of a policy is special.
    const principals: { [name: string]: Principal } = Object.create(null);
    for (const { name, grant } of JSON.parse(written) as { name: string; grant: number }[]) {
      const { principal } = readThrough(this.#instance, this.#others, gate, grant);
      if (principal === null) throw new Error("a grant has no principal");
      principals[name] = principal;
    }
    return Object.freeze(principals);
  }
}
