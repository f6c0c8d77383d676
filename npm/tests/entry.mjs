// The entry of the bundle for a runtime: the package, as this runtime imports it, the suite and the host.

import * as main from "countersign";
import { shadow } from "countersign/shadow";
import { signedPolicy } from "countersign/signed-policy";
import { Generation } from "countersign-inside/generation.js";
import { openSigned } from "countersign-inside/open-signed.js";
import { ProofTable } from "countersign-inside/proofs.js";
import { asked } from "countersign-inside/request.js";
import { frameOf } from "countersign-inside/secrets.js";
import { cryptographyOf } from "countersign-inside/signatures.js";
import { ok } from "./assert.mjs";
import { openHost } from "./host.mjs";
import { policy } from "./issuer.mjs";
import { run } from "./run.mjs";
import { suite } from "./suite.mjs";

const library = { ...main, shadow, signedPolicy };
const runtime = { shared: true };
const tests = suite(library, runtime);

// As in applications, before any request: there a Worker has no randomness and no timers.
const early = library.createGate(policy, { fetch: () => Promise.reject(new Error("refused")) });
tests["a gate that was opened while the module was loaded decides"] = async () => {
  ok(await (await early).check(new Request("https://api.example.com/healthz")));
};

export function play(shared) {
  runtime.shared = shared;
  return run(tests);
}

export { library, policy };

const opened = async (signatures) => openHost(library, { Generation, ProofTable, asked, frameOf, openSigned, cryptography: await cryptographyOf(signatures) });

let host;
export const answer = async (command, signatures) => (await (host ??= opened(signatures)))(command);
