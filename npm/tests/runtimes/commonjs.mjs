// This Node.js, with the package that `require` finds.

import * as crypto from "node:crypto";
import { createRequire } from "node:module";
import { openHost } from "../host.mjs";
import { run } from "../run.mjs";
import { suite } from "../suite.mjs";

export async function open(signatures) {
  const require = createRequire(import.meta.url);
  const library = { ...require("countersign"), ...require("countersign/shadow"), ...require("countersign/signed-policy") };
  const { Generation } = require("../node_modules/countersign/cjs/generation.js");
  const { ProofTable } = require("../node_modules/countersign/cjs/proofs.js");
  const { asked } = require("../node_modules/countersign/cjs/request.js");
  const { frameOf } = require("../node_modules/countersign/cjs/secrets.js");
  const { openSigned } = require("../node_modules/countersign/cjs/open-signed.js");
  const { cryptographyOf } = require("../node_modules/countersign/cjs/signatures.js");
  const { nodeCrypto } = require("../node_modules/countersign/cjs/node-crypto.js");
  const opened = async () => openHost(library, { Generation, ProofTable, asked, frameOf, openSigned, cryptography: await cryptographyOf(signatures, () => nodeCrypto(crypto)) });
  let host;
  return {
    name: `require in Node.js ${process.versions.node}`,
    play: () => run(suite(library, { shared: true, native: true })),
    answer: async (command) => (await (host ??= opened()))(command),
    close() {},
  };
}
