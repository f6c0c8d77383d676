// A mix of clients, in the order that src/mix.rs generated. The contestants
// remember up to 1,000 tokens, and start each pass without any.

import { figure } from "./race.mjs";

/** The number of requests that are timed together. */
const STRETCH = 500;

/**
 * The stretches have different numbers of new tokens, so the best and the median
 * are taken for each stretch over all passes, and then added.
 */
export async function mix(contestants, { order, passes }) {
  const stretches = contestants.map(() => []);
  for (let pass = 0; pass < passes; pass++) {
    for (const contestant of contestants) contestant.open();
    for (let from = 0, turn = 0; from < order.length; from += STRETCH, turn++) {
      const tokens = order.slice(from, from + STRETCH);
      for (let place = 0; place < contestants.length; place++) {
        const index = (place + turn + pass) % contestants.length;
        const start = performance.now();
        for (const token of tokens) contestants[index].check(token, token + 1);
        const elapsed = (performance.now() - start) * 1e6;
        (stretches[index][turn] ??= []).push(elapsed / order.length);
      }
    }
  }
  return contestants.map(({ name }, index) => {
    const each = stretches[index].map((turns) => figure(name, "ns", turns));
    const sum = (what) => each.reduce((total, one) => total + one[what], 0);
    return { name, unit: "ns", best: sum("best"), median: sum("median"), turns: passes };
  });
}
