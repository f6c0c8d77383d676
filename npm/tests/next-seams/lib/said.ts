import { caller, type CallerOptions } from "countersign/next";

/** The caller, or the reason why it is not known. */
export const said = (options?: CallerOptions): Promise<string> =>
  caller(options).then(
    (who) => `caller=${who?.subject ?? "nobody"}`,
    (error) => `fault=${error.problems[0].code}`,
  );
