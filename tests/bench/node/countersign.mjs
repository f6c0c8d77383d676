// The npm package as a contestant.

import { admit, instantiate, native, openGate, supply } from "./face.mjs";
import { figure, time } from "./race.mjs";

/** Checks a request and reads its principal, as a service does. */
export function withPrincipal(workload, target) {
  return contestant("npm package, with principal", undefined, workload, target);
}

/** The same, with signatures verified by the cryptography of Node.js. */
export function natively(workload, target) {
  return contestant("npm package, native, with principal", native, workload, target);
}

function contestant(name, cryptography, { policy, tokens }, target) {
  const credentials = tokens.map((token) => `Bearer ${token}`);
  let gate;
  return {
    name,
    open() {
      gate?.close();
      gate = openGate(policy, cryptography);
    },
    check(from, to) {
      for (let index = from; index < to; index++) admit(gate, target, credentials[index]);
    },
  };
}

export function openPolicy(policy, repeats) {
  return time("npm package, open", repeats, () => openGate(policy).close());
}

export function supplyTwoKeys({ policy, jwks }, repeats) {
  const gate = openGate(policy);
  const [fetch] = gate.due(Date.now());
  const body = Buffer.from(jwks);
  const figure = time("npm package, supply", repeats, () => supply(gate, fetch, body));
  gate.close();
  return figure;
}

/**
 * Linear memory of an instance with 100 keys and 1,000 remembered tokens. The
 * gates of the previous instance cannot be used any more.
 */
export function memory({ policy, hundred }, { tokens }, target) {
  const memory = instantiate();
  const gate = openGate(policy);
  const [fetch] = gate.due(Date.now());
  supply(gate, fetch, Buffer.from(hundred));
  for (const token of tokens.slice(0, 1000)) admit(gate, target, `Bearer ${token}`);
  return figure("sealed", "bytes", [memory.buffer.byteLength]);
}
