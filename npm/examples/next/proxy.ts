import { createGate } from "countersign";
import { protect } from "countersign/next";
import { policy } from "./lib/policy";

export const proxy = protect(createGate(policy), {
  // A page sends people to where they sign in; an API says what is wrong.
  denied(denial, request) {
    const page = request.headers.get("accept")?.includes("text/html");
    return denial.status === 401 && page ? Response.redirect(new URL("/", request.url), 303) : undefined;
  },
});

// Every path: what is left out here, a catch-all page and every server action can be reached by.
export const config = { matcher: [{ source: "/:path*", locale: false }] };
