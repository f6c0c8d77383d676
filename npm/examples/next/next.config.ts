import { createGate } from "countersign";
import type { NextConfig } from "next";
import { policy } from "./lib/policy";

const config: NextConfig = {
  poweredByHeader: false,
  // The gate judges the address as it came: `/x.rsc` is not `/x`.
  skipProxyUrlNormalize: true,
};

// A mistake of the policy ends the build, rather than being a 503 for everybody.
export default async function checked(): Promise<NextConfig> {
  (await createGate(policy)).close();
  return config;
}
