/** What is wrong with a policy, a requirement or a document, in an operator's words. */
export interface Problem {
  /** JSON Pointer (RFC 6901); empty for the whole. */
  readonly pointer: string;
  /** Stable, such as `field_unknown`. */
  readonly code: string;
  readonly message: string;
  readonly severity: "error" | "warning";
}

/** A mistake in the configuration, with every problem at once. No request causes it. */
export class CountersignError extends Error {
  override readonly name = "CountersignError";

  constructor(
    what: string,
    readonly problems: readonly Problem[],
  ) {
    const lines = problems.map(({ pointer, code, message }) => `\n  ${pointer || "/"}: ${message} (${code})`);
    super(`the ${what} is not usable:${lines.join("")}`);
  }

  /** A problem that the gate itself did not find. */
  static of(what: string, code: string, message: string): CountersignError {
    return new CountersignError(what, [{ pointer: "", code, message, severity: "error" }]);
  }
}
