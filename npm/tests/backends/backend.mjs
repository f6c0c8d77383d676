// What the backends of tests/routers have in common: the gate, and the protocol of that crate's README.

import { readFileSync } from "node:fs";
import { createGate } from "countersign";

const [, , policy] = process.argv;

/** None without a policy: then it stands before this process. */
export const gate = policy && (await createGate(JSON.parse(readFileSync(policy, "utf8"))));

export const OPEN = "open.example.com";

/** Whether a host is that one, as a rule of the policy compares it: without port, without case, without one last dot. */
export const isOpen = (host = "") => host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "") === OPEN;

/** The routes that Express and Hono write alike. */
export function shared(app, say) {
  app.all("/items/:id", say("item"));
  app.all("/items/:id/edit", say("edit"));
  app.all("/Reports/:id", say("report"));
}

/** The name, or `spoofed` where one of a handler's views of a request has an identity that the gate has not set. */
export function seen(name, ...views) {
  const spoofed = views.flatMap(Object.entries).some(([field, value]) => field.toLowerCase().replaceAll("_", "-") === "x-auth-subject" && String(value) !== "ada");
  return spoofed ? "spoofed" : name;
}

/** Raw headers as they stand, each name with its value. */
export const pairs = (raw) => raw.flatMap((name, index) => (index % 2 === 0 ? [{ [name]: raw[index + 1] }] : []));

/** Says the port, and ends with its input. */
export function serving(server) {
  console.log(JSON.stringify({ port: server.address().port }));
  process.stdin.on("end", () => process.exit()).resume();
}
