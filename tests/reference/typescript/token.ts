// The checks of a token, in the order of the contract.

import { type Found, type Source, type Spec, holds, isSpec, isTexts, isThere, pointed, pointerOf, read } from "./claims.ts";
import { Denied } from "./denied.ts";
import { type Json, Num, firstMember, strictJson } from "./json.ts";
import { ALGORITHMS, type Key, jwk, known, pem, secret, unbase64url, verifies } from "./keys.ts";

export interface Token {
  issuer: Issuer;
  typ: string | undefined;
  claims: Map<string, Json>;
  text: Uint8Array;
  iss: string;
  aud: string[];
  exp: number | undefined;
  iat: number | undefined;
  type: string | undefined;
  subject: string | undefined;
  tenant: string | undefined;
  tenants: string[];
  roles: string[];
  scopes: string[];
}

export interface Limits {
  tokenBytes: number;
  headerBytes: number;
  json: [number, number];
}

/** An issuer of the policy, with its keys. */
export interface Issuer {
  spec: Spec;
  name: string;
  algorithms: string[];
  leeway: number;
  sources: { algorithms: string[]; keys: Key[] }[];
}

export async function issuerOf(spec: Spec, policy: Spec): Promise<Issuer> {
  const algorithms = spec.algorithms.map(known);
  const sources = [];
  for (const source of many(spec.keys)) {
    const own: string[] = (source.algorithms ?? algorithms).map(known);
    const found = [
      ...(source.jwks?.keys ?? []).map((one: Spec) => jwk(one, own, source.use)),
      ...(source.pem ?? []).map((one: Spec) => pem(one, own)),
      ...(source.secrets ?? []).map((one: Spec) => secret(one, own)),
    ];
    const keys: (Key | undefined)[] = await Promise.all(found);
    sources.push({ algorithms: own, keys: keys.filter((key) => key !== undefined) });
  }
  const leeway = (spec.leeway_s ?? policy.leeway_s ?? 30) * 1000;
  return { spec, name: spec.name, algorithms, leeway, sources };
}

/** `goodFrom`: the names of the issuers that are good from its place. */
export async function checkToken(issuers: Issuer[], limits: Limits, data: string, now: number, goodFrom: string[], moreLeeway = 0): Promise<Token> {
  if (data.length > limits.tokenBytes) throw new Denied("token_too_large");
  const parts = data.split(".");
  const [first, second, third] = parts as [string, string, string];
  if (parts.length > 1 && Math.floor((first.length * 3) / 4) > limits.headerBytes) throw new Denied("token_too_large");
  if (parts.length !== 3 || first === "") throw new Denied("token_malformed");
  const [headerBytes, payload, signature] = attempt(() => [first, second, third].map(unbase64url), "token_malformed") as [Uint8Array, Uint8Array, Uint8Array];
  const header = attempt(() => strictJson(headerBytes, ...limits.json), "header_invalid");
  if (!(header instanceof Map)) throw new Denied("header_invalid");
  if (header.has("crit") || (header.has("b64") && header.get("b64") !== true)) throw new Denied("crit_unsupported");
  for (const name of ["alg", "kid", "typ", "cty"]) {
    const isRight = typeof header.get(name) === "string" || (name !== "alg" && !header.has(name));
    if (!isRight) throw new Denied("header_invalid", { claim: name });
  }
  const algorithm = known(header.get("alg") as string);
  if (!ALGORITHMS.includes(algorithm)) throw new Denied("algorithm_not_allowed");
  const { issuer, captures } = findIssuer(issuers, payload, limits);
  if (!goodFrom.includes(issuer.name)) throw new Denied("issuer_unknown");
  if (!issuer.algorithms.includes(algorithm)) throw new Denied("algorithm_not_allowed");
  await checkSignature(issuer, algorithm, header.get("kid") as string | undefined, new TextEncoder().encode(`${first}.${second}`), signature);
  const claims = attempt(() => strictJson(payload, ...limits.json), "claims_invalid");
  if (!(claims instanceof Map)) throw new Denied("claims_invalid");
  return checkClaims(issuer, header.get("typ") as string | undefined, claims, payload, captures, now, moreLeeway, limits);
}

function attempt<T>(read: () => T, code: string): T {
  try {
    return read();
  } catch {
    throw new Denied(code);
  }
}

/** issuer.*. */
function findIssuer(issuers: Issuer[], payload: Uint8Array, limits: Limits): { issuer: Issuer; captures: Record<string, string> } {
  const iss = firstMember(payload, "iss", ...limits.json);
  if (!iss.found && !iss.fault) {
    const absent = issuers.find((issuer) => issuer.spec.issuer.absent === true);
    if (absent !== undefined) return { issuer: absent, captures: {} };
  }
  const { value } = iss;
  if (typeof value !== "string") throw new Denied("issuer_unknown");
  const exact = issuers.find((issuer) => issuer.spec.issuer === value);
  if (exact !== undefined) return { issuer: exact, captures: {} };
  for (const issuer of issuers) {
    const captures = templateCaptures(issuer.spec.issuer, value);
    if (captures !== undefined) return { issuer, captures };
  }
  throw new Denied("issuer_unknown");
}

/** issuer.template. */
function templateCaptures(spec: Spec, iss: string): Record<string, string> | undefined {
  if (spec.template === undefined) return undefined;
  const wanted = spec.template.split("/");
  const parts = iss.split("/");
  const captures: Record<string, string> = {};
  if (wanted.length !== parts.length) return undefined;
  for (const [index, part] of parts.entries()) {
    const one = wanted[index];
    if (one.startsWith("{")) {
      if (!/^[A-Za-z0-9._~-]{1,128}$/.test(part) || part === "." || part === "..") return undefined;
      captures[one.slice(1, -1)] = part;
    } else if (one !== part) return undefined;
  }
  return captures;
}

/** key.*, order.signature. */
async function checkSignature(issuer: Issuer, algorithm: string, kid: string | undefined, data: Uint8Array, signature: Uint8Array): Promise<void> {
  const sources = issuer.sources.filter((source) => source.algorithms.includes(algorithm));
  const keys = sources.flatMap((source) => source.keys).filter((key) => kid === undefined || key.kid === kid);
  const fitting = keys.filter((key) => key.algorithm === algorithm);
  if (keys.length === 0 || (fitting.length === 0 && kid === undefined)) throw new Denied("key_unknown");
  if (fitting.length === 0) throw new Denied("key_unsuitable");
  for (const key of fitting.slice(0, 4)) {
    if (await verifies(key, data, signature)) return;
  }
  throw new Denied(fitting.length > 4 ? "key_unknown" : "signature_invalid");
}

function checkClaims(issuer: Issuer, typ: string | undefined, claims: Map<string, Json>, text: Uint8Array, captures: Record<string, string>, now: number, moreLeeway: number, limits: Limits): Token {
  const { spec, leeway } = issuer;
  for (const name of ["sub", "jti"]) {
    const value = claims.get(name);
    const isDigits = name === "sub" && spec.numbers_as_text === true && isWhole(value);
    if (claims.has(name) && typeof value !== "string" && !isDigits) throw new Denied("claims_invalid", { claim: name });
  }
  for (const name of ["exp", "nbf", "iat"]) {
    const value = claims.get(name);
    const isDate = value instanceof Num && Math.abs(value.value) <= 2 ** 53;
    if (claims.has(name) && !isDate) throw new Denied("claims_invalid", { claim: name });
  }
  const aud = claims.get("aud") ?? (claims.has("aud") ? null : []);
  if (typeof aud !== "string" && !isTexts(aud)) throw new Denied("claims_invalid", { claim: "aud" });
  const [exp, nbf, iat] = ["exp", "nbf", "iat"].map((name) => milliseconds(claims.get(name)));
  const token: Token = { issuer, typ, claims, text, iss: (claims.get("iss") as string | undefined) ?? "", aud: many(aud), exp, iat, type: undefined, ...principal(issuer, claims, limits) };
  for (const [name, captured] of Object.entries(captures)) {
    const source: Source = spec.issuer.claims[name];
    const value = read(claims, source, limits.json);
    if (!isThere(value)) throw new Denied("claim_missing", { claim: pointerOf(source) });
    if (value !== captured) throw new Denied("claim_mismatch", { claim: pointerOf(source) });
  }
  checkAudience(token);
  if (exp === undefined && spec.exp_required !== false) throw new Denied("claim_missing", { claim: "exp" });
  if (exp !== undefined && now >= exp + leeway + moreLeeway) throw new Denied("token_expired", { claim: "exp" });
  if (nbf !== undefined && now + leeway < nbf) throw new Denied("token_not_yet_valid", { claim: "nbf" });
  if (iat !== undefined && iat > now + leeway) throw new Denied("token_not_yet_valid", { claim: "iat" });
  if (spec.max_token_age_s !== undefined) checkAge(token, spec.max_token_age_s, now);
  checkType(token);
  for (const [pointer, condition] of Object.entries(spec.require ?? {})) {
    if (holds(claims, pointer, condition) === true) continue;
    throw new Denied(isThere(pointed(claims, pointer)) ? "claim_mismatch" : "claim_missing", { claim: pointer });
  }
  return token;
}

/** audience.*. */
function checkAudience({ issuer, aud }: Token): void {
  const wanted = issuer.spec.audiences;
  const isFor = (one: string) => aud.includes(one);
  const isRight = wanted === "any" || (isSpec(wanted) ? wanted.all.every(isFor) : wanted.some(isFor));
  if (!isRight) throw new Denied("audience_mismatch", { claim: "aud" });
}

/** principal.*, claims.mapped, claims.default-shape, claims.numbers-as-text. */
function principal({ spec }: Issuer, claims: Map<string, Json>, limits: Limits): Pick<Token, "subject" | "tenant" | "tenants" | "roles" | "scopes"> {
  const mapping = spec.claims ?? {};
  const digits = spec.numbers_as_text === true;
  const text = (source: Source): string | undefined => {
    const value = asDigits(read(claims, source, limits.json), digits);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string") throw new Denied("claims_invalid", { claim: pointerOf(source) });
    return value === "" ? undefined : value;
  };
  const words = (sources: Source[], isDefault: boolean, isSplit: boolean, numbers: boolean): string[] => {
    const found: string[] = [];
    for (const source of sources) {
      const value = asDigits(read(claims, source, limits.json), numbers);
      if (typeof value === "string") found.push(...(isSplit ? value.split(" ") : [value]));
      else if (isTexts(value)) found.push(...value);
      else if (value !== undefined && value !== null && !isDefault) throw new Denied("claims_invalid", { claim: pointerOf(source) });
    }
    return [...new Set(found)].filter((one) => one !== "");
  };
  const subjects = many(mapping.subject ?? "/sub").map(text);
  // A text has a member `fixed` of its own.
  const fixed = isSpec(mapping.tenant) ? mapping.tenant.fixed : undefined;
  const tenant = mapping.tenant === undefined ? undefined : (fixed ?? text(mapping.tenant));
  const tenants = mapping.tenants === undefined ? many(tenant ?? []) : words(many(mapping.tenants), false, false, digits);
  const roles = words(many(mapping.roles ?? "/roles"), mapping.roles === undefined, false, digits);
  const mapped = spec.role_map === undefined ? roles : roles.flatMap((role) => many(Object.hasOwn(spec.role_map, role) ? spec.role_map[role] : []));
  const scopes = words(many(mapping.scopes ?? ["/scope", "/scp", "/scopes"]), mapping.scopes === undefined, true, false);
  return { subject: subjects.find((one) => one !== undefined), tenant: tenants.length === 1 ? tenants[0] : undefined, tenants, roles: [...new Set(mapped)], scopes };
}

/** type.never. */
const noAccessTokens = ["dpop+jwt", "token-introspection+jwt", "logout+jwt", "secevent+jwt"];

function plainTyp(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, "");
}

/** type.*. */
function checkType(token: Token): void {
  if (noAccessTokens.includes(plainTyp(token.typ ?? ""))) throw new Denied("type_mismatch");
  const types: Spec[] | undefined = token.issuer.spec.token_types;
  if (types === undefined) return;
  const matching = types.filter((type) => isOfType(token, type));
  const [type] = matching;
  if (type === undefined || matching.length > 1) throw new Denied("type_mismatch");
  token.type = type.name;
  if (type.max_lifetime_s !== undefined) {
    for (const name of ["exp", "iat"] as const) if (token[name] === undefined) throw new Denied("claim_missing", { claim: name });
    if ((token.exp as number) - (token.iat as number) > type.max_lifetime_s * 1000) throw new Denied("claim_mismatch", { claim: "exp" });
  }
  const within: string[] | undefined = type.scopes_within;
  if (within !== undefined && !token.scopes.every((scope) => within.some((one) => covers(one, scope)))) {
    const [source] = many<Source>(token.issuer.spec.claims?.scopes ?? "/scope") as [Source];
    throw new Denied("claim_mismatch", { claim: pointerOf(source) });
  }
  for (const pointer of type.required_claims ?? []) {
    if (!isThere(pointed(token.claims, pointer))) throw new Denied("claim_missing", { claim: pointer });
  }
}

function isOfType(token: Token, type: Spec): boolean {
  const conditions = Object.entries(type.claim ?? {});
  if (!conditions.every(([pointer, condition]) => holds(token.claims, pointer, condition) === true)) return false;
  return type.header_typ === undefined || (token.typ !== undefined && type.header_typ.map(plainTyp).includes(plainTyp(token.typ)));
}

export function covers(granted: string, scope: string): boolean {
  const isWild = granted.endsWith(":*") && scope.startsWith(granted.slice(0, -1)) && scope.length >= granted.length;
  return granted === scope || isWild;
}

export function checkAge({ iat, issuer }: Token, mostS: number, now: number, passed = 0): void {
  if (iat === undefined) throw new Denied("claim_missing", { claim: "iat", passed });
  if (now - iat > mostS * 1000 + issuer.leeway) throw new Denied("token_too_old", { claim: "iat", passed });
}

function isWhole(value: Found): value is Num {
  return value instanceof Num && /^-?[0-9]+$/.test(value.text) && Math.abs(value.value) <= 2 ** 53 - 1;
}

function asDigits(value: Found, digits: boolean): Found {
  if (!digits) return value;
  if (Array.isArray(value)) return value.map((one) => asDigits(one, true) as Json);
  return isWhole(value) ? value.text : value;
}

export function milliseconds(value: Json | undefined): number | undefined {
  return value instanceof Num ? Math.floor(value.value * 1000) : undefined;
}

export function many<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}
