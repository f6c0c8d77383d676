// The types of policies.

import type { CountersignPolicyVersion1 } from "./policy.js";

export type Policy = CountersignPolicyVersion1;

/** The `require` of a policy's rule. */
export type Requirement = NonNullable<Extract<NonNullable<Policy["rules"]>[number], { require?: unknown }>["require"]>;

/** The type with its literal types widened to `string`, `number` and `boolean`: the type that TypeScript gives a JSON file. */
export type Widened<Type> = Type extends string
  ? string
  : Type extends number
    ? number
    : Type extends boolean
      ? boolean
      : Type extends readonly (infer Item)[]
        ? readonly Widened<Item>[]
        : Type extends object
          ? { readonly [Member in keyof Type]: Widened<Type[Member]> | (undefined extends Type[Member] ? undefined : never) }
          : Type;

/** A policy: an object, also one imported from a JSON file, JSON as text, or the URL of JSON. */
export type AnyPolicy = Policy | Widened<Policy> | string | URL;
