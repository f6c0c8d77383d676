import { main } from "./instance.js";
import { type Inspection, readInspection } from "./written.js";

/** Decodes a token without verifying it. Never throws. */
export function inspect(token: string): Inspection {
  try {
    return readInspection(main.glue.inspect(new TextEncoder().encode(token)));
  } catch {
    main.restart();
    return { header: null, claims: null, headerText: null, claimsText: null, signatureBytes: null, fault: "internal_error", detail: null };
  }
}
