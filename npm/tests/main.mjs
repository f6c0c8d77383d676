// Runs the suite in each of these runtimes: `node main.mjs RUNTIME…`. The last line has the format of cargo's result.

let [passed, failed, skipped] = [0, 0, 0];
for (const name of process.argv.slice(2)) {
  const start = performance.now();
  const played = await play(name);
  for (const fault of played.faults) console.log(`${played.name}: ${fault}`);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`            ${played.name}: ${played.passed} passed, ${played.faults.length} failed ${seconds}s`);
  passed += played.passed;
  failed += played.faults.length;
  skipped += played.skipped ?? 0;
}
console.log(`test result: ${failed === 0 ? "ok" : "FAILED"}. ${passed} passed; ${failed} failed; ${skipped} ignored`);
// `exitCode` is not enough: a runtime that failed may leave something that keeps this process alive.
process.exit(failed === 0 ? 0 : 1);

/** If a runtime does not open, that is one failure, and the next one runs. */
async function play(name) {
  try {
    const { open } = await import(`./runtimes/${name}.mjs`);
    const runtime = await open();
    try {
      return { name: runtime.name, ...(await runtime.play()) };
    } finally {
      await runtime.close();
    }
  } catch (fault) {
    return { name, passed: 0, faults: [fault?.stack ?? String(fault)] };
  }
}
