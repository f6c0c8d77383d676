const CODES = [
  "invalid_request",
  "invalid_client",
  "invalid_grant",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
  "invalid_target",
  "access_denied",
  "server_error",
  "temporarily_unavailable",
] as const;

/** A code of OAuth (RFC 6749 §5.2, RFC 8707 §2). `temporarily_unavailable` is also the code if the bridge does not answer. */
export type BridgeErrorCode = (typeof CODES)[number];

/** Why there is no token. It contains nothing of a token, of the key or of the person. */
export class BridgeError extends Error {
  override readonly name = "BridgeError";

  constructor(
    readonly code: BridgeErrorCode,
    message: string,
    /** The HTTP status; `null` if the bridge was not asked or did not answer. */
    readonly status: number | null = null,
  ) {
    super(`${message} (${code})`);
  }

  /** @internal The error of a response that is no success. */
  static of(status: number, body: { readonly [member: string]: unknown }): BridgeError {
    const code = CODES.find((code) => code === body["error"]);
    if (code) return new BridgeError(code, described(body["error_description"]), status);
    return new BridgeError(status < 500 ? "server_error" : "temporarily_unavailable", `the bridge answered ${status}`, status);
  }
}

/** The bridge's texts are fixed, short and in the characters of RFC 6749 §5.2. Anything else is not the bridge's, and must not get into a log. */
function described(text: unknown): string {
  const isFixed = typeof text === "string" && /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(text);
  return isFixed ? text : "the bridge refused the request";
}
