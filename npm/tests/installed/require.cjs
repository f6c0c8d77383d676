// The entries of the package for `require`. Every one must load; `createGate` decides.

const { createGate } = require("countersign");
for (const entry of ["express", "fastify", "hono", "node", "yaml"]) require(`countersign/${entry}`);

exports.gate = createGate(require("./policy.json"));
