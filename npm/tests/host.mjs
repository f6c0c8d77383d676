// Serves the package by the harness protocol of tests/conformance, in any runtime: one reply for each command.

/** `library` is the package. `Generation` and `strings` are internal: with them the caller controls the clock and the documents. */
export async function openHost({ createGate, CountersignError }, { Generation, strings }) {
  // Starts the module.
  await createGate({ contract: "1", issuers: [], rules: [] }).catch(() => {});
  const settings = { fetch: () => Promise.reject(), fetchInit: {}, shared: false, inline: false, now: () => 0 };
  const gates = new Map();
  const asked = new Map();

  const commands = {
    open({ gate, policy }) {
      gates.set(gate, new Generation(new TextEncoder().encode(policy), settings));
      asked.clear();
      return { opened: {} };
    },
    due: ({ gate, at }) => ({ fetches: remember(gates.get(gate).due(at)) }),
    next_due: ({ gate, at }) => ({ next_due: gates.get(gate).nextDue(at) ?? null }),
    async supply({ gate, at, source, uri, response }) {
      const answer = response && { status: response.status, cacheControl: response.cache_control, body: Uint8Array.from(latin1(response.body), (c) => c.charCodeAt(0)) };
      const supplied = await gates.get(gate).supply({ ...asked.get(source), source, uri }, answer, at);
      const { outcome, skipped, problem } = supplied;
      return { accepted: { accepted: skipped }, refused: { refused: problem }, outdated: { outdated: {} } }[outcome];
    },
    request({ gate, at, request: { method, authority, target, headers } }) {
      const head = {
        method: latin1(method),
        authority: latin1(authority),
        target: latin1(target),
        headers: headers.map((pair) => pair.map(latin1)),
      };
      const open = gates.get(gate);
      return reply(open.check(strings(head, open.reads), at));
    },
    token: ({ gate, at, token, requirement }) => reply(gates.get(gate).checkToken(latin1(token), requirement, at)),
    close({ gate }) {
      gates.get(gate).close();
      gates.delete(gate);
      return { closed: {} };
    },
  };

  function reply(decision) {
    if (Array.isArray(decision)) return { wait: remember(decision) };
    if (decision.code === null) {
      const { status, headers, body } = decision;
      return { answer: { status, headers, body } };
    }
    if (!decision.allow) {
      const { allow, principalName, retryAfterS, ...denial } = decision;
      return { deny: { ...denial, principal: principalName, retry_after_s: retryAfterS } };
    }
    const { principal, principals, setHeaders, removeHeaders, changes } = decision;
    const others = Object.fromEntries(Object.entries(principals).map(([name, other]) => [name, identity(other)]));
    return { allow: { principal: principal && identity(principal), others, set_headers: setHeaders, remove_headers: removeHeaders, changes: changes.map(change) } };
  }

  function identity({ issuer, iss, subject, tokenType, tenant, tenants, roles, scopes, expiresAtMs, claimsText }) {
    return { issuer, iss, subject, token_type: tokenType, tenant, tenants, roles, scopes, expires_at_ms: expiresAtMs, claims: claimsText };
  }

  function change({ kind, name, value, target }) {
    return { [kind]: kind === "set_target" ? text(target) : kind === "set_header" ? [name, text(value)] : name };
  }

  function remember(fetches) {
    for (const fetch of fetches) asked.set(fetch.source, fetch);
    return fetches;
  }

  return async (command) => {
    const [[name, values]] = Object.entries(command);
    try {
      return await commands[name](values);
    } catch (error) {
      return error instanceof CountersignError ? { problems: error.problems } : { error: String(error) };
    }
  };
}

/** One character for each byte, from a string that is sent as UTF-8, or from base64. */
function latin1(bytes) {
  if (typeof bytes !== "string") return atob(bytes.base64);
  let text = "";
  for (const byte of new TextEncoder().encode(bytes)) text += String.fromCharCode(byte);
  return text;
}

/** The text of bytes in UTF-8, of which each is one character. */
function text(bytes) {
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}
