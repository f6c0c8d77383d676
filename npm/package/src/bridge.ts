// The platform's tokens for an app that signs people in itself, with Auth.js for example. Its server only: it has the private key of the app.

import type { Fetcher } from "./documents.js";
import { CountersignError } from "./error.js";
import { isSecure } from "./secure-address.js";
import { type PrivateKey, SigningKey } from "./signing-key.js";
import { TokenShelf } from "./token-shelf.js";

export { BridgeError, type BridgeErrorCode } from "./bridge-error.js";
export type { PrivateKey } from "./signing-key.js";

export interface BridgeOptions {
  /** The bridge: its `issuer`, such as `https://auth.example.com`. */
  readonly issuer: string;
  /** The client of this app in the bridge's configuration. */
  readonly clientId: string;
  /** The private key of this client. It is never printed. */
  readonly key: PrivateKey;
  /** `kid` of the key, if the client has several. Default: that of the JWK. */
  readonly kid?: string | undefined;
  /** How long a request to the bridge may take, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Whether plain `http` is allowed to this machine (`localhost`, `127.0.0.1`, `[::1]`). */
  readonly insecureHttp?: boolean | undefined;
  /** A replacement for the runtime's `fetch`. */
  readonly fetch?: Fetcher | undefined;
  /** The clock, in milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** A person as the login provider names one: `iss` and `sub` of the ID token, never an email. */
export interface Person {
  readonly issuer: string;
  readonly subject: string;
}

/** Who is signed in, and what the token is for. */
export interface SignedIn {
  readonly person: Person;
  /** The organisation. The person must be a member, or there is no token. */
  readonly tenant: string;
  /** When the app's session ends. The token ends no later. */
  readonly sessionExpiresAt: Date;
  /** When the person signed in, if the app knows. */
  readonly signedInAt?: Date | undefined;
  /** For whom the token is, if the app may have several. */
  readonly audience?: string | undefined;
  /** Default: all that the app and the person both may have. */
  readonly scopes?: readonly string[] | undefined;
  /** Asks the bridge even if a token is remembered: after a service has refused that one with 401. */
  readonly fresh?: boolean | undefined;
}

/** A token of the platform (`pat`). It is a secret: do not log it. */
export interface BridgeToken {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface BridgeTokens {
  /** @throws BridgeError with the code of OAuth, such as `invalid_request` if the person is no member. */
  (signedIn: SignedIn): Promise<BridgeToken>;
  /** For the sign-out: revokes the tokens of this person that this process remembers. */
  signOut(person: Person): Promise<void>;
}

/**
 * A function that returns tokens for signed-in people. A token is remembered until half a minute before its end, and concurrent calls for the same share
 * one request.
 * @throws CountersignError if it is called in a browser, or with an address or a key that cannot be used.
 */
export function bridgeTokens({ issuer, clientId, key, kid, timeoutMs = 10_000, insecureHttp, fetch, now = Date.now }: BridgeOptions): BridgeTokens {
  if ("document" in globalThis) throw unusable("server_only", "a browser must not have the private key");
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url?.origin !== issuer || !isSecure(url, insecureHttp)) throw unusable("value_invalid", "`issuer` is `https` and a host, without a path or a slash at the end");
  const shelf = new TokenShelf({ issuer, clientId, key: new SigningKey(key, kid), timeoutMs, fetch: fetch ?? ((...asked) => globalThis.fetch(...asked)), now });
  return Object.assign((signedIn: SignedIn) => shelf.token(signedIn), { signOut: (person: Person) => shelf.signOut(person) });
}

function unusable(code: string, message: string): CountersignError {
  return CountersignError.of("client of the bridge", code, message);
}
