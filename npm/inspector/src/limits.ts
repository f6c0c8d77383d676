import created from "./limits.json";

/** The numbers of a policy that says none, by their names in `limits`: `token_bytes` and others, and `leeway_s`. They are of the policy's schema. */
export const DEFAULTS: { readonly [name: string]: number | undefined } = created;
