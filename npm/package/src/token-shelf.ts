// Tokens that are remembered, and those that are being asked for.

import type { BridgeToken, Person, SignedIn } from "./bridge.js";
import { BridgeError } from "./bridge-error.js";
import { LruCache } from "./lru-cache.js";
import { assertion, type Client, send } from "./token-endpoint.js";

/** How many tokens are remembered, and the characters of their keys. */
const MOST = 10_000;
const MOST_CHARACTERS = 4_000_000;

/** How many requests may wait for the bridge at the same time. */
const MOST_PENDING = 1_024;

/** A token is not handed out so shortly before its end: it must last for what it is used for. */
const MARGIN_MS = 30_000;

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT = "urn:ietf:params:oauth:token-type:jwt";

export class TokenShelf {
  readonly #client: Client;
  readonly #known = new LruCache<BridgeToken>(MOST, MOST_CHARACTERS);
  readonly #pending = new Map<string, Promise<BridgeToken>>();

  constructor(client: Client) {
    this.#client = client;
  }

  async token(signedIn: SignedIn): Promise<BridgeToken> {
    const key = keyOf(signedIn);
    const now = this.#client.now();
    // Otherwise the error would be that of everybody who waits for the same.
    if (!(signedIn.sessionExpiresAt.getTime() > now)) throw new BridgeError("invalid_request", "the session of the app has ended");
    const known = signedIn.fresh ? undefined : this.#known.get(key);
    if (known && known.expiresAt.getTime() - now > MARGIN_MS && endsInTime(known, signedIn)) return known;
    const pending = this.#pending.get(key);
    if (!pending) return this.#ask(key, signedIn);
    const shared = await pending;
    // The session of whoever asked may last longer than this one.
    return endsInTime(shared, signedIn) ? shared : this.#ask(key, signedIn);
  }

  async signOut(person: Person): Promise<void> {
    const isOf = (key: string): boolean => key.startsWith(startOf(person));
    const pending = [...this.#pending].filter(([key]) => isOf(key));
    // What is asked for now is then not remembered.
    for (const [key] of pending) this.#pending.delete(key);
    const known = [...this.#known.keys()].filter(isOf).flatMap((key) => {
      const token = this.#known.get(key);
      this.#known.delete(key);
      return token ?? [];
    });
    const asked = await Promise.all(pending.map(([, token]) => token.catch(() => [])));
    const now = this.#client.now();
    const living = [...known, ...asked.flat()].filter(({ expiresAt }) => expiresAt.getTime() > now);
    await Promise.all(living.map(({ token }) => send(this.#client, "/oauth/revoke", { token })));
  }

  #ask(key: string, signedIn: SignedIn): Promise<BridgeToken> {
    if (this.#pending.size >= MOST_PENDING) throw new BridgeError("temporarily_unavailable", "too many requests wait for the bridge");
    const asked = exchange(this.#client, signedIn)
      .then((token) => {
        if (this.#pending.get(key) !== asked) return token;
        this.#known.delete(key);
        this.#known.set(key, token);
        return token;
      })
      .finally(() => {
        if (this.#pending.get(key) === asked) this.#pending.delete(key);
      });
    this.#pending.set(key, asked);
    return asked;
  }
}

/** The assertion about the person becomes a token (RFC 8693). */
async function exchange(client: Client, { person, tenant, sessionExpiresAt, signedInAt, audience, scopes }: SignedIn): Promise<BridgeToken> {
  const askedMs = client.now();
  const subject = await assertion(client, "person-assertion+jwt", {
    sub_id: { format: "iss_sub", iss: person.issuer, sub: person.subject },
    session_expires_at: seconds(sessionExpiresAt),
    ...(signedInAt && { auth_time: seconds(signedInAt) }),
  });
  const answer = await send(client, "/oauth/token", { grant_type: GRANT, subject_token: subject, subject_token_type: JWT, tenant, audience, scope: scopes?.join(" ") });
  const { access_token: token, token_type, expires_in } = answer;
  const isBearer = typeof token_type === "string" && token_type.toLowerCase() === "bearer";
  if (typeof token !== "string" || token === "" || !isBearer || typeof expires_in !== "number" || !(expires_in > 0)) throw new BridgeError("server_error", "the answer is not that of a bridge", 200);
  // From the clock before the request: the token ends no earlier than that, and for this app no later than its session, whatever the clock of the bridge is.
  return { token, expiresAt: new Date(Math.min(askedMs + expires_in * 1_000, sessionExpiresAt.getTime())) };
}

function endsInTime({ expiresAt }: BridgeToken, { sessionExpiresAt }: SignedIn): boolean {
  return expiresAt <= sessionExpiresAt;
}

/** What two calls must have in common to get the same token. The session's end is not among it: a session that is in use is prolonged. */
function keyOf({ person, tenant, audience, scopes, signedInAt }: SignedIn): string {
  return startOf(person) + JSON.stringify([tenant, audience, scopes && [...new Set(scopes)].sort(), signedInAt]);
}

function startOf({ issuer, subject }: Person): string {
  return `${JSON.stringify([issuer, subject])} `;
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1_000);
}
