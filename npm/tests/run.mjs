// Runs tests and says how they ended: any runtime.

/** Plays `{ "sentence": async () => … }`: how many passed, and what did not. */
export async function run(tests) {
  const faults = [];
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
    } catch (fault) {
      faults.push(`${name}: ${fault?.stack ?? fault}`);
    }
  }
  return { passed: Object.keys(tests).length - faults.length, faults };
}
