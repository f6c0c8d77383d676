// This Node.js (or Bun, or Deno), with the package that `import` finds.

import * as crypto from "node:crypto";
import * as main from "countersign";
import { shadow } from "countersign/shadow";
import { signedPolicy } from "countersign/signed-policy";
import { openHost } from "../host.mjs";
import { run } from "../run.mjs";
import { suite } from "../suite.mjs";

const library = { ...main, shadow, signedPolicy };

export async function open(signatures) {
  const inside = (name) => import(new URL(`../node_modules/countersign/esm/${name}`, import.meta.url));
  const { Generation } = await inside("generation.js");
  const { ProofTable } = await inside("proofs.js");
  const { asked } = await inside("request.js");
  const { frameOf } = await inside("secrets.js");
  const { openSigned } = await inside("open-signed.js");
  const { cryptographyOf } = await inside("signatures.js");
  const { nodeCrypto } = await inside("node-crypto.js");
  const opened = async () => openHost(library, { Generation, ProofTable, asked, frameOf, openSigned, cryptography: await cryptographyOf(signatures, () => nodeCrypto(crypto)) });
  let host;
  return {
    name: `Node.js ${process.versions.node}`,
    play: () => run(suite(library, { shared: true, native: true })),
    answer: async (command) => (await (host ??= opened()))(command),
    close() {},
  };
}
