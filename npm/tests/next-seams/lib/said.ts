import { caller, type CallerOptions } from "countersign/next";

/** Who is said to call, or why that is not known. */
export const said = (options?: CallerOptions): Promise<string> =>
  caller(options).then(
    (who) => `caller=${who?.subject ?? "nobody"}`,
    (error) => `fault=${error.problems[0].code}`,
  );
