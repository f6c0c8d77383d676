import { createGate } from "countersign";
import { protect } from "countersign/next";
import { policy } from "./lib/policy";

export const proxy = protect(createGate(policy), {
  // Pages redirect to the sign-in page; APIs answer with the denial.
  denied(denial, request) {
    const page = request.headers.get("accept")?.includes("text/html");
    return denial.status === 401 && page ? Response.redirect(new URL("/", request.url), 303) : undefined;
  },
});

// Every path: one that is left out can reach a catch-all page and every server action.
export const config = { matcher: [{ source: "/:path*", locale: false }] };
