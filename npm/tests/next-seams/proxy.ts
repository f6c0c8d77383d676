import { createGate } from "countersign";
import { protect } from "countersign/next";

export const proxy = protect(createGate(JSON.parse(process.env.SEAMS_POLICY!), { secrets: { nonces: process.env.COUNTERSIGN_SECRET! } }));

// Every path but one, on which `caller` is called without the proxy.
export const config = { matcher: [{ source: "/((?!(?:en/)?open).*)", locale: false }] };
