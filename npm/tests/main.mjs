// The behavioural suite in each of these runtimes: `node main.mjs RUNTIME…`. The last line counts as cargo's does.

let [passed, failed] = [0, 0];
for (const name of process.argv.slice(2)) {
  const { open } = await import(`./runtimes/${name}.mjs`);
  const runtime = await open();
  const played = await runtime.play();
  await runtime.close();
  for (const fault of played.faults) console.log(`${runtime.name}: ${fault}`);
  console.log(`            ${runtime.name}: ${played.passed} passed, ${played.faults.length} failed`);
  passed += played.passed;
  failed += played.faults.length;
}
console.log(`test result: ${failed === 0 ? "ok" : "FAILED"}. ${passed} passed; ${failed} failed; 0 ignored`);
process.exitCode = failed === 0 ? 0 : 1;
