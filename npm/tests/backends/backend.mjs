// The common part of the backends of tests/routers: the gate, and the protocol of that crate's README.

import { readFileSync } from "node:fs";
import { createGate } from "countersign";

const [, , policy] = process.argv;

/** Absent without a policy: then the gate runs in front of this process. */
export const gate = policy && (await createGate(JSON.parse(readFileSync(policy, "utf8"))));

export const OPEN = "open.example.com";

/** Whether a host is the given one, compared as in a rule of the policy: without port, case and one trailing dot. */
export const isOpen = (host = "") => host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "") === OPEN;

/** The routes that Express and Hono write in the same way. */
export function shared(app, say) {
  app.all("/items/:id", say("item"));
  app.all("/items/:id/edit", say("edit"));
  app.all("/Reports/:id", say("report"));
}

/** The name, or `spoofed` if a view of the request in the handler has an identity that the gate has not set. */
export function seen(name, ...views) {
  const spoofed = views.flatMap(Object.entries).some(([field, value]) => field.toLowerCase().replaceAll("_", "-") === "x-auth-subject" && String(value) !== "ada");
  return spoofed ? "spoofed" : name;
}

/** Raw headers as pairs of name and value. */
export const pairs = (raw) => raw.flatMap((name, index) => (index % 2 === 0 ? [{ [name]: raw[index + 1] }] : []));

/** Prints the port, and ends the process at the end of its input. */
export function serving(server) {
  console.log(JSON.stringify({ port: server.address().port }));
  process.stdin.on("end", () => process.exit()).resume();
}
