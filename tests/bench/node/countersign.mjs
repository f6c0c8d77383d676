// Our contestants.

import { admit, admitPrincipal, instantiate, openGate, supplyKeys } from "./face.mjs";
import { figure, time } from "./race.mjs";

/** With what the token says, as a service wants it. */
export function withPrincipal(one, target) {
  return contestant("sealed, with principal", admitPrincipal, one, target);
}

/** Yes or no. */
export function verdictOnly(one, target) {
  return contestant("sealed, verdict only", admit, one, target);
}

function contestant(name, ask, { policy, tokens }, target) {
  const credentials = tokens.map((token) => `Bearer ${token}`);
  let gate;
  return {
    name,
    open() {
      gate?.free();
      gate = openGate(policy);
    },
    check(from, to) {
      for (let index = from; index < to; index++) ask(gate, target, credentials[index]);
    },
  };
}

export function openPolicy(policy, repeats) {
  return time("sealed, new Gate", repeats, () => openGate(policy).free());
}

export function supplyTwoKeys({ policy, jwks }, repeats) {
  const gate = openGate(policy);
  const [{ source }] = JSON.parse(gate.due(Date.now()));
  const body = Buffer.from(jwks);
  const figure = time("sealed, Gate.supply", repeats, () => supplyKeys(gate, source, body));
  gate.free();
  return figure;
}

/**
 * Linear memory of an instance with 100 keys and 1,000 remembered tokens. It
 * ends every gate of the instance before.
 */
export function memory({ policy, hundred }, { tokens }, target) {
  const memory = instantiate();
  const gate = openGate(policy);
  const [{ source }] = JSON.parse(gate.due(Date.now()));
  supplyKeys(gate, source, Buffer.from(hundred));
  for (const token of tokens.slice(0, 1000)) admit(gate, target, `Bearer ${token}`);
  return figure("sealed", "bytes", [memory.buffer.byteLength]);
}
