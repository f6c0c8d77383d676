// Serves the package by the harness protocol of tests/conformance, in any runtime: one reply for each command.

/**
 * `library` is the package. The others are internal: with them the caller controls the clock and the documents. `cryptography` verifies
 * signatures; without it, the module does.
 */
export async function openHost({ createGate, CountersignError }, { Generation, ProofTable, asked, cryptography, frameOf, openSigned }) {
  // Starts the module.
  await createGate({ contract: "1", issuers: [], rules: [] }).catch(() => {});
  const settings = { fetch: () => Promise.reject(), fetchInit: {}, shared: false, inline: false, now: () => 0, cryptography };
  const gates = new Map();
  /** The hooks of each gate, of which only the key of a person is used. */
  const watches = new Map();
  const fetches = new Map();

  const commands = {
    open({ gate, policy, secrets = {} }) {
      const table = new ProofTable();
      const watch = { subjectKey: new Uint8Array() };
      const own = { secrets: frameOf(secrets), proofs: (proof, nowMs) => table.enter(proof, nowMs), watch };
      watches.set(gate, watch);
      gates.set(gate, new Generation(utf8.encode(policy), { ...settings, ...own }));
      fetches.clear();
      return { opened: {} };
    },
    due: ({ gate, at }) => ({ fetches: remember(gates.get(gate).due(at)) }),
    next_due: ({ gate, at }) => ({ next_due: gates.get(gate).nextDue(at) ?? null }),
    async supply({ gate, at, source, uri, response }) {
      const supplied = await gates.get(gate).supply({ ...fetches.get(source), source, uri }, answerOf(response), at);
      const { outcome, skipped, problem } = supplied;
      return { accepted: { accepted: skipped }, refused: { refused: problem }, outdated: { outdated: {} } }[outcome];
    },
    respond({ gate, at, ticket, response }) {
      const open = gates.get(gate);
      const [problem] = open.respond({ ticket }, answerOf(response), open.incarnation, at);
      return problem ? { refused: problem } : { accepted: [] };
    },
    request({ gate, at, request: { method, authority, target, headers, connection: { scheme, certificate, peer } = {} } }) {
      const head = {
        method: latin1(method),
        authority: latin1(authority),
        target: latin1(target),
        headers: headers.map((pair) => pair.map(latin1)),
        connection: { scheme, certificate: Uint8Array.from(certificate?.match(/../g) ?? [], (byte) => parseInt(byte, 16)), peer },
      };
      const open = gates.get(gate);
      return reply(() => open.check(asked(head, open.reads), at));
    },
    token: ({ gate, at, token, requirement, proven }) => reply(() => gates.get(gate).checkToken(latin1(token), requirement, proven, at)),
    close({ gate }) {
      gates.get(gate).close();
      gates.delete(gate);
      return { closed: {} };
    },
    last_event({ gate, subject_key = "" }) {
      watches.get(gate).subjectKey = utf8.encode(subject_key);
      const { about, effects } = gates.get(gate).facts(true);
      const { rule, issuer, tokenType, remembered, subjectRef } = about;
      const event = { rule: rule && { name: null, ...rule }, issuer, token_type: tokenType, remembered, subject_ref: subjectRef, effects };
      return { event: Object.fromEntries(Object.entries(event).map(([name, value]) => [name, value ?? null])) };
    },
    digest: ({ gate }) => ({ digest: gates.get(gate).digest }),
    ready: ({ gate }) => ({ ready: gates.get(gate).isReady }),
    open_signed({ at, signed, trust }) {
      try {
        const { policy, version, expires_ms, kid } = openSigned(utf8.encode(signed), trust, at);
        return { signed: { policy, version, expires_ms, kid } };
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error;
        return { refused: error.problems[0] };
      }
    },
  };

  async function reply(check) {
    let decision = check();
    // Asynchronous cryptography.
    for (; "work" in decision; decision = check()) await decision.work;
    if (Array.isArray(decision)) return { wait: decision.map((need) => ("ticket" in need ? { source: 0, kind: "introspection", ...need } : remember([need])[0])) };
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

  function remember(due) {
    for (const fetch of due) fetches.set(fetch.source, fetch);
    return due;
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

const utf8 = new TextEncoder();

function answerOf(response) {
  return response && { status: response.status, cacheControl: response.cache_control, body: Uint8Array.from(latin1(response.body), (c) => c.charCodeAt(0)) };
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
