import { CountersignError, type Problem } from "./error.js";
import type { Options, Platform } from "./options.js";
import { main } from "./instance.js";
import type { AnyPolicy } from "./policies.js";
import { bytesOf } from "./policy-bytes.js";

/**
 * Lists every problem of a policy, which need not be good: the errors, for which `createGate` refuses it, and the warnings, of what it accepts but is probably
 * not meant.
 * @throws CountersignError if the policy is not available.
 */
export type Lint = (policy: AnyPolicy, options?: Pick<Options, "fetch" | "module">) => Promise<readonly Problem[]>;

export function linter({ module, fetchInit }: Platform): Lint {
  return async (policy, options = {}) => {
    await main.start(options.module ?? (await module()));
    const bytes = await bytesOf(policy, { fetch: options.fetch ?? ((uri, init) => fetch(uri, init)), fetchInit });
    try {
      return JSON.parse(main.glue.lint(bytes));
    } catch {
      main.restart();
      return CountersignError.of("policy", "internal_error", "the module failed").problems;
    }
  };
}
