import { CountersignError } from "./error.js";

/** The secrets that a policy names by `secret_from`: text or bytes by name. */
export type Secrets = { readonly [name: string]: string | Uint8Array };

/**
 * A copy of the secrets as the module reads them: names and secrets in turn, after their number and their lengths.
 * @throws CountersignError that names a secret that is neither text nor bytes.
 */
export function frameOf(secrets: Secrets): Uint8Array {
  const parts = Object.entries(secrets).flatMap(([name, secret]) => [utf8.encode(name), bytesOf(name, secret)]);
  const text = 4 + 4 * parts.length;
  const frame = new Uint8Array(parts.reduce((sum, { length }) => sum + length, text));
  const view = new DataView(frame.buffer);
  view.setUint32(0, parts.length, true);
  let place = text;
  for (const [index, part] of parts.entries()) {
    view.setUint32(4 + 4 * index, part.length, true);
    frame.set(part, place);
    place += part.length;
  }
  return frame;
}

export function bytesOf(name: string, secret: unknown): Uint8Array {
  if (typeof secret === "string") return utf8.encode(secret);
  if (ArrayBuffer.isView(secret)) return new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength);
  throw CountersignError.of("configuration", "secret_invalid", `the secret \`${name}\` is neither text nor bytes`);
}

const utf8 = new TextEncoder();
