import { createGate } from "countersign";
import type { NextConfig } from "next";
import { policy } from "./lib/policy";

const config: NextConfig = {
  poweredByHeader: false,
  // The gate needs the URL as it was sent: `/x.rsc` is not `/x`.
  skipProxyUrlNormalize: true,
};

// An error in the policy fails the build. Otherwise every request would get a 503.
export default async function checked(): Promise<NextConfig> {
  (await createGate(policy)).close();
  return config;
}
