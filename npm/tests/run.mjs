// Runs tests in any runtime and returns their results.

/** Runs `{ "name": async () => … }`, and returns the number of passed tests and the failures. */
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
