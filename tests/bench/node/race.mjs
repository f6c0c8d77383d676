// Races as in src/race.rs: the contestants take turns at the same small piece
// of work, so that other load on the machine affects all of them.

/**
 * A contestant is `{ name, open(), check(from, to) }`; `check` may be async
 * and throws if a valid token is denied.
 */
export async function race(contestants, remembered, plan) {
  const turns = contestants.map(() => []);
  for (let pass = 0; pass < plan.passes; pass++) {
    if (!remembered || pass === 0) {
      for (const contestant of contestants) {
        contestant.open();
        if (remembered) await contestant.check(0, plan.tokens);
      }
    }
    for (let from = 0, turn = 0; from < plan.tokens; from += plan.turn, turn++) {
      const to = Math.min(from + plan.turn, plan.tokens);
      for (let place = 0; place < contestants.length; place++) {
        // The order changes at every turn.
        const index = (place + turn + pass) % contestants.length;
        const start = performance.now();
        // `await` takes time even without a promise.
        const waiting = contestants[index].check(from, to);
        if (waiting) await waiting;
        turns[index].push(((performance.now() - start) * 1e6) / (to - from));
      }
    }
  }
  return contestants.map(({ name }, index) => figure(name, "ns", turns[index]));
}

/** Times an operation that is not a check of tokens. */
export function time(name, repeats, work) {
  const turns = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const start = performance.now();
    work();
    turns.push((performance.now() - start) * 1e6);
  }
  return figure(name, "ns", turns);
}

/** Makes a `Figure` of src/figure.rs. */
export function figure(name, unit, turns) {
  const sorted = turns.toSorted((a, b) => a - b);
  return { name, unit, best: sorted[0], median: sorted[sorted.length >> 1], turns: sorted.length };
}
