// The secrets that a policy names: the page does not know them.

import type { Problem, Secrets } from "countersign";

/** A place where a policy names a secret. */
interface Named {
  readonly name: string;
  readonly pointer: string;
}

/** Other ones in their place, with which the policy opens: long enough, and of characters that a header may have. */
export function placeholders(json: string): Secrets {
  return Object.fromEntries(named(JSON.parse(json)).map(({ name }) => [name, "x".repeat(64)]));
}

/** Says of each that what needs it is not decided as elsewhere. */
export function unknownSecrets(json: string): Problem[] {
  return named(JSON.parse(json)).map(({ pointer }) => ({ pointer, code: "secret_missing", message: "this page does not know the secret: what needs it is decided with another one here", severity: "warning" }));
}

function named(value: unknown, pointer = ""): Named[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([member, inside]): Named[] => {
    const place = `${pointer}/${member.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (member !== "secret_from") return named(inside, place);
    return [inside].flat().flatMap((name) => (typeof name === "string" ? [{ name, pointer: place }] : []));
  });
}
