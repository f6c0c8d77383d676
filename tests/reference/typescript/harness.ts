// The reference behind the harness protocol: see `tests/conformance/README.md`.

import { createInterface } from "node:readline";
import { Gate, type Raw, latin } from "./reference.ts";

type Bytes = string | { base64: string };

function raw(value: Bytes | undefined): string {
  if (typeof value === "object") return atob(value.base64);
  return latin(new TextEncoder().encode(value ?? ""));
}

function said(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(said);
  if (typeof value !== "string") return value;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(value, (one) => one.charCodeAt(0)));
  } catch {
    return { base64: btoa(value) };
  }
}

const gates = new Map<number, Gate>();

function gate(number: number): Gate {
  return gates.get(number) as Gate;
}

async function reply(command: string, input: any): Promise<unknown> {
  switch (command) {
    case "open":
      gates.set(input.gate, await Gate.open(input.policy));
      return { opened: {} };
    case "request": {
      const { method, authority, target, headers = [] } = input.request;
      const fields: [string, string][] = headers.map(([name, value]: [Bytes, Bytes]) => [raw(name), raw(value)]);
      const request: Raw = { method: raw(method), authority: raw(authority), target: raw(target), headers: fields };
      return plain(await gate(input.gate).check(request, input.at));
    }
    case "token": {
      const requirement = input.requirement === undefined ? undefined : JSON.parse(input.requirement);
      return plain(await gate(input.gate).checkToken(raw(input.token), requirement, input.at));
    }
    case "close":
      gates.delete(input.gate);
      return { closed: {} };
    default:
      return { error: `${command} is left out` };
  }
}

/** Bytes of a request come back as text. */
function plain(decision: any): unknown {
  const changes = decision.allow?.changes.map((change: object) => Object.fromEntries(Object.entries(change).map(([what, value]) => [what, said(value)])));
  return changes === undefined ? decision : { allow: { ...decision.allow, changes } };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [[command, input]] = Object.entries(JSON.parse(line)) as [[string, unknown]];
  const answer = await reply(command, input).catch((error: Error) => ({ error: String(error.stack) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
