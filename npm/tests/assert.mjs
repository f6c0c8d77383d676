export function equal(seen, wanted) {
  const [is, should] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (is !== should) throw new Error(`${is} is not ${should}`);
}

export function ok(decision) {
  if (!decision.allow) throw new Error(`denied: ${JSON.stringify(decision)}`);
  return decision;
}

export function deny(decision, code) {
  if (decision.allow !== false || decision.code !== code) throw new Error(`not ${code}: ${JSON.stringify(decision)}`);
  return decision;
}

export async function rejects(work, kind) {
  try {
    await work;
  } catch (error) {
    if (error instanceof kind) return error;
    throw new Error(`another error: ${error}`);
  }
  throw new Error("no error");
}
