/**
 * The contract as a module: what CONTRACT.md decides, with WebCrypto alone.
 *
 * It is written from CONTRACT.md and the tables of docs/policy.md, and shares no code
 * with the verifier. It is not for use in a service: it does not fetch or renew
 * documents, refuses no policy, and is slow. This file decides a request; the files
 * beside it follow the chapters of the contract.
 */

import { denial, metadataAnswer } from "./challenge.ts";
import type { Spec, Values } from "./claims.ts";
import { BEARER, type Found, checkOrigin, gather, unspaced } from "./credentials.ts";
import { Denied } from "./denied.ts";
import { Changes, forwarded, ofOthers } from "./forward.ts";
import { type Match, type Raw, Request, ambiguous, latin, ruleFor, segmentsOf } from "./request.ts";
import { require } from "./requirement.ts";
import { type Issuer, type Limits, type Token, checkToken, issuerOf } from "./token.ts";

export { latin };
export type { Raw };

/** One opened policy. */
export class Gate {
  readonly #policy: Spec;
  readonly #issuers: Issuer[];
  readonly #limits: Limits;
  /** The places of all lists. */
  readonly #places: Spec[];

  private constructor(policy: Spec, issuers: Issuer[]) {
    this.#policy = policy;
    this.#issuers = issuers;
    const { token_bytes = 16384, header_bytes = 4096, json_depth = 16, json_members = 256 } = policy.limits ?? {};
    this.#limits = { tokenBytes: token_bytes, headerBytes: header_bytes, json: [json_depth, json_members] };
    const ofRules = (policy.rules ?? []).flatMap((rule: Spec) => rule.credentials ?? []);
    this.#places = [...(policy.credentials ?? BEARER), ...ofRules];
  }

  static async open(text: string): Promise<Gate> {
    const policy: Spec = JSON.parse(text);
    return new Gate(policy, await Promise.all(policy.issuers.map((spec: Spec) => issuerOf(spec, policy))));
  }

  async check(raw: Raw, now: number) {
    let match: Match | undefined;
    try {
      const segments = segmentsOf(raw.target);
      const request = new Request(raw);
      const answer = metadataAnswer(this.#policy, request, segments);
      if (answer !== undefined) return answer;
      match = ruleFor(this.#policy, request.method, request.host, segments);
      this.#checkFields(request);
      if (match === undefined) throw new Denied("rule_denied");
      checkCompared(request, match.rule);
      return { allow: await this.#admit(request, match, now) };
    } catch (error) {
      if (error instanceof Denied) return { deny: denial(this.#policy, error, match?.rule) };
      throw error;
    }
  }

  /** token-only.requirement. */
  async checkToken(token: string, requirement: Spec | undefined, now: number) {
    try {
      if (token === "") throw new Denied("token_missing");
      const found = await this.#token({ data: token, places: [{ issuers: this.#issuers.map(({ name }) => name) }] }, now);
      if (requirement !== undefined) found.tenant = require(found, requirement, now, () => undefined) ?? found.tenant;
      return { allow: granted(found, new Map(), forwarded(this.#policy, found), this.#forwardNames(), []) };
    } catch (error) {
      if (error instanceof Denied) return { deny: denial(this.#policy, error, { require: requirement ?? {} }) };
      throw error;
    }
  }

  async #admit(request: Request, { rule, captures }: Match, now: number) {
    const removed = this.#forwardNames();
    if (rule.public === true) return granted(undefined, new Map(), [], removed, []);
    const places: Spec[] = rule.credentials ?? this.#policy.credentials ?? BEARER;
    const several: string = (rule.credentials === undefined ? this.#policy : rule).several ?? "refuse";
    const users = places.filter(({ principal }) => principal === undefined);
    const principals = Object.entries<Spec>(rule.principals ?? {});

    // order.credential-before-token
    const found = gather(request, users, several);
    const theirs = new Map<string, Found[]>();
    for (const [name] of principals) {
      const mine = places.filter(({ principal }) => principal === name);
      theirs.set(name, await ofPrincipal(name, async () => gather(request, mine, several)));
    }
    if (found.length === 0 && rule.optional === undefined) throw new Denied("token_missing");
    for (const [name, tokens] of theirs) {
      if (tokens.length === 0) await ofPrincipal(name, () => Promise.reject(new Denied("token_missing")));
    }

    const values: Values = ({ capture, header }) => {
      if (capture !== undefined) return captures[capture];
      return request.fields(header.toLowerCase()).map(unspaced).find((value) => value !== "");
    };
    const { token, counted } = await this.#user(rule, found, now);
    if (token !== undefined && counted !== undefined) {
      checkOrigin(request, counted.places);
      token.tenant = require(token, rule.require ?? {}, now, values) ?? token.tenant;
    }
    const others = new Map<string, Token>();
    for (const [name, requirement] of principals) {
      const [mine] = theirs.get(name) as [Found];
      const other = await ofPrincipal(name, async () => {
        const one = await this.#token(mine, now);
        checkOrigin(request, mine.places);
        require(one, requirement, now, values);
        return one;
      });
      others.set(name, other);
    }

    const changes = new Changes(request);
    const strips = this.#policy.strip_credential === true;
    if (strips && token !== undefined) removed.push(...this.#strip(changes));
    else if (strips) changes.takeOut(places.filter(({ principal }) => others.has(principal)));
    if (found.length > 0 && token === undefined) changes.takeOut(users);
    if (several === "first" && counted !== undefined) changes.leaveOnly(users, counted);
    for (const place of places) if (place.principal === undefined || others.has(place.principal)) changes.always(place);
    const all = [...changes.all(), ...ofOthers(this.#policy, others)];
    return granted(token, others, forwarded(this.#policy, token), [...new Set(removed)], all);
  }

  /** The user's token; of several cookies the first whose own checks pass (credential.first-cookies). */
  async #user(rule: Spec, found: Found[], now: number): Promise<{ token?: Token; counted?: Found }> {
    let first: Denied | undefined;
    for (const counted of found) {
      try {
        return { token: await this.#token(counted, now, (rule.accept_expired_s ?? 0) * 1000), counted };
      } catch (error) {
        if (!(error instanceof Denied)) throw error;
        first ??= error;
      }
    }
    // rule.ignore-bad
    const ignores = rule.optional?.bad_token === "ignore" && first?.status === 401;
    if (first !== undefined && !ignores) throw first;
    return {};
  }

  /** credential.issuers, credential.kept-issuers. */
  async #token({ data, places }: Found, now: number, moreLeeway = 0): Promise<Token> {
    const kept = this.#places.filter(({ principal }) => principal !== undefined).flatMap(({ issuers }) => issuers);
    const everywhere = this.#issuers.map(({ name }) => name).filter((name) => !kept.includes(name));
    const goodFrom: string[] = places.flatMap(({ issuers }) => issuers ?? everywhere);
    return checkToken(this.#issuers, this.#limits, data, now, goodFrom, moreLeeway);
  }

  /** strip.header, strip.cookie. */
  #strip(changes: Changes): string[] {
    for (const { cookie } of this.#places) if (cookie !== undefined) changes.cookie((name) => name === cookie);
    return this.#places.flatMap(({ header }) => (header === undefined ? [] : [header.toLowerCase()]));
  }

  #forwardNames(): string[] {
    return Object.keys(this.#policy.forward ?? {}).map((name) => name.toLowerCase());
  }

  /** request.fields, request.connection. */
  #checkFields(request: Request): void {
    const compared = comparedHeaders(this.#policy.rules ?? []);
    const places = this.#places.flatMap(({ header }) => (header === undefined ? [] : [header.toLowerCase()]));
    const reads = [...ALWAYS_READ, ...compared, ...places];
    if (request.headers.filter(([name]) => reads.includes(name.replaceAll("_", "-"))).length > 1000) ambiguous();
    const named = request.fields("connection").flatMap((value) => value.split(",")).map((one) => one.trim().toLowerCase().replaceAll("_", "-"));
    if (named.some((name) => compared.includes(name) || this.#forwardNames().includes(name))) ambiguous();
  }
}

const ALWAYS_READ = ["host", "connection", "cookie", "origin", "sec-fetch-site", "sec-fetch-mode", "upgrade", ":protocol", "sec-websocket-protocol"];

/** principals.named. */
async function ofPrincipal<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Denied) error.principal = name;
    throw error;
  }
}

/** rule.value-ambiguous. */
function checkCompared(request: Request, rule: Spec): void {
  for (const name of comparedHeaders([rule])) {
    const values = request.spelled(name);
    const [first] = values;
    if (first === undefined) continue;
    const value = unspaced(first);
    const isOne = values.length === 1 && request.fields(name).length === 1;
    if (!isOne || value.includes(",") || value.length > 1024 || /[^\x21-\x7e]/.test(value)) ambiguous();
  }
}

/** The headers that requirements compare: those of rules, without their places. */
function comparedHeaders(inside: unknown): string[] {
  if (Array.isArray(inside)) return inside.flatMap(comparedHeaders);
  if (typeof inside !== "object" || inside === null) return [];
  const { header } = inside as { header?: unknown };
  if (typeof header === "string" && Object.keys(inside).length === 1) return [header.toLowerCase()];
  return Object.entries(inside).flatMap(([name, inner]) => (name === "credentials" ? [] : comparedHeaders(inner)));
}

function granted(token: Token | undefined, others: Map<string, Token>, headers: [string, string][], removed: string[], changes: object[]) {
  return {
    principal: token === undefined ? null : described(token),
    others: Object.fromEntries([...others].map(([name, one]) => [name, described(one)])),
    set_headers: headers,
    remove_headers: removed,
    changes,
  };
}

function described(token: Token) {
  return {
    issuer: token.issuer.name,
    iss: token.iss,
    subject: token.subject ?? null,
    token_type: token.type ?? null,
    tenant: token.tenant ?? null,
    tenants: token.tenants,
    roles: token.roles,
    scopes: token.scopes,
    expires_at_ms: token.exp ?? null,
    claims: new TextDecoder("utf-8", { ignoreBOM: true }).decode(token.text),
  };
}
