/** One problem of a policy, a requirement or a document. */
export interface Problem {
  /** The JSON Pointer (RFC 6901) of its place; empty for the whole text. */
  readonly pointer: string;
  /** A stable code, such as `field_unknown`. */
  readonly code: string;
  readonly message: string;
  readonly severity: "error" | "warning";
}

/** An error in the configuration, with every problem. No request causes it. */
export class CountersignError extends Error {
  override readonly name = "CountersignError";

  constructor(
    what: string,
    readonly problems: readonly Problem[],
  ) {
    const lines = problems.map(({ pointer, code, message }) => `\n  ${pointer || "/"}: ${message} (${code})`);
    super(`the ${what} is not usable:${lines.join("")}`);
  }

  /** An error with one problem that was found outside the module. */
  static of(what: string, code: string, message: string): CountersignError {
    return new CountersignError(what, [{ pointer: "", code, message, severity: "error" }]);
  }
}
