// The types of policies.

import type { CountersignPolicyVersion1 } from "./policy.js";

export type Policy = CountersignPolicyVersion1;

/** What a rule of the policy calls `require`. */
export type Requirement = NonNullable<Extract<NonNullable<Policy["rules"]>[number], { require?: unknown }>["require"]>;

/** The same with every text, number and boolean where the type names some: what TypeScript makes of a JSON file. */
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

/** A policy, one that was read from a JSON file, JSON, or where JSON is to be had. */
export type AnyPolicy = Policy | Widened<Policy> | string | URL;
