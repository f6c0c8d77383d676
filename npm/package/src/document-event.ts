import type { Answer, Document, Failed } from "./documents.js";
import { type DocumentEvent, present } from "./events.js";
import type { Supplied } from "./written.js";

/** What the module said about a document, when it was read to its end. */
type Ended = Extract<Supplied, { outcome: "accepted" | "refused" }>;

export function documentEvent({ kind, issuer }: Document, fetched: Answer | Failed, ended: Ended, circumstances: Pick<DocumentEvent, "mode" | "policyDigest"> & { ageMs?: number | null | undefined }): DocumentEvent {
  return present({ kind, issuer, ...outcomeOf(fetched, ended), ...circumstances });
}

function outcomeOf(fetched: Answer | Failed, ended: Ended): Pick<DocumentEvent, "outcome" | "reason" | "detail" | "used" | "skipped"> {
  if ("failed" in fetched) return { outcome: "failed", reason: fetched.failed };
  const { status } = fetched;
  // Browsers hide the status of a redirect.
  if (status !== 200) return { outcome: "failed", reason: status === 0 || (status >= 300 && status < 400) ? "redirect" : "status", detail: String(status) };
  if (ended.outcome === "accepted") return { outcome: "accepted", used: ended.used, skipped: ended.skipped.length };
  return { outcome: "refused", reason: "refused", detail: `${ended.problem.code} ${ended.problem.pointer}`.trim() };
}
