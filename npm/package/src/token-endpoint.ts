// What a client asks the bridge for: it says who it is by an assertion that it signs (RFC 7523).

import { BridgeError } from "./bridge-error.js";
import { type Fetcher, fetchWithin } from "./documents.js";
import { base64url, type SigningKey } from "./signing-key.js";

/** The client and its bridge. */
export interface Client {
  readonly issuer: string;
  readonly clientId: string;
  readonly key: SigningKey;
  readonly fetch: Fetcher;
  readonly timeoutMs: number;
  readonly now: () => number;
}

type Form = { readonly [name: string]: string | undefined };

/** How long an assertion is good: the most that the bridge allows. */
const ASSERTION_S = 60;

const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** A token is a few thousand bytes. */
const LARGEST_BYTES = 64 << 10;

/** An assertion for the bridge alone, for one minute, and good once. */
export function assertion({ issuer, clientId, key, now }: Client, typ: string, claims: object): Promise<string> {
  const iat = Math.floor(now() / 1_000);
  const jti = base64url(crypto.getRandomValues(new Uint8Array(16)));
  return key.sign(typ, { iss: clientId, aud: issuer, iat, exp: iat + ASSERTION_S, jti, ...claims });
}

/**
 * Sends a form to a path of the bridge, and returns the members of its answer.
 * @throws BridgeError if the answer is no success, or there is none.
 */
export async function send(client: Client, path: string, form: Form): Promise<{ readonly [member: string]: unknown }> {
  const own = await assertion(client, "JWT", { sub: client.clientId });
  const sent = { ...form, client_id: client.clientId, client_assertion_type: JWT_BEARER, client_assertion: own };
  const body = new URLSearchParams(Object.entries(sent).filter((field): field is [string, string] => field[1] !== undefined));
  const bounds = { uri: client.issuer + path, timeout_ms: client.timeoutMs, max_bytes: LARGEST_BYTES };
  const headers: [string, string][] = [["accept", "application/json"], ["content-type", "application/x-www-form-urlencoded"]];
  const answer = await fetchWithin(bounds, client.fetch, { method: "POST", headers, body: body.toString(), credentials: "omit", cache: "no-store" }, () => true);
  if ("failed" in answer) throw new BridgeError("temporarily_unavailable", `the bridge did not answer (${answer.failed})`);
  const members = membersOf(answer.body);
  if (answer.status !== 200) throw BridgeError.of(answer.status, members);
  return members;
}

/** None of a body that is no JSON object: RFC 7009 has an empty one. */
function membersOf(body: Uint8Array): { readonly [member: string]: unknown } {
  try {
    const read: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof read === "object" && read !== null ? (read as { [member: string]: unknown }) : {};
  } catch {
    return {};
  }
}
