// A gate works between requests: one that a test leaves open sets timers while later tests run.

/** The library and, for tests that use it, the same tests, which close their gates when they end. */
export function closing(library) {
  const opened = [];
  const createGate = (...asked) => {
    const gate = library.createGate(...asked);
    gate.then((gate) => opened.push(gate), () => {});
    return gate;
  };
  const close = (test) => async () => {
    try {
      await test();
    } finally {
      for (const gate of opened.splice(0)) gate.close();
    }
  };
  const closed = (tests) => Object.fromEntries(Object.entries(tests).map(([name, test]) => [name, close(test)]));
  return { library: { ...library, createGate }, closed };
}
