// A candidate beside the policy in force. docs/events.md says what its comparisons mean.

import type { Settings } from "./settings.js";
import * as glue from "./glue/apart.js";
import { Instance } from "./instance.js";
import type { AnyPolicy } from "./policies.js";
import { bytesOf } from "./policy-bytes.js";
import type { Proven, UsedProof } from "./proofs.js";
import { ShadowGate } from "./shadow-gate.js";

/** A memory of their own for the candidates of this process: a fault of one does not reach the policies in force. */
const apart = new Instance(glue);

/** A policy that is asked about each request, and changes nothing: for the option `shadow`, or `gate.reloadShadow`. From {@link shadow}. */
export class Candidate {
  readonly #policy: AnyPolicy;

  /** @internal */
  constructor(policy: AnyPolicy) {
    this.#policy = policy;
  }

  /**
   * @internal
   * @throws CountersignError with every problem of the policy.
   */
  async open(settings: Settings): Promise<ShadowGate> {
    await apart.start(settings.module);
    return new ShadowGate(await bytesOf(this.#policy, settings), { ...settings, instance: apart, mode: "shadow", proofs: known });
  }
}

/** A candidate from a policy in any form that `createGate` takes. */
export function shadow(policy: AnyPolicy): Candidate {
  return new Candidate(policy);
}

/** A candidate enters no proof: it learns what the policy in force was told in the same check. */
function known(proof: UsedProof, _: number, proven?: Proven): boolean {
  const isFirst = proven?.isFirst(proof);
  if (isFirst === undefined) throw new Error("the policy in force has not entered this proof");
  return isFirst;
}
