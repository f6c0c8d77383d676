// Credentials and their origin (credential.*, origin.*).

import type { Spec } from "./claims.ts";
import { Denied } from "./denied.ts";
import { base64, unbase64url } from "./keys.ts";
import { type Request, bytes, decoded, latin } from "./request.ts";

export const BEARER: Spec[] = [{ header: "authorization", scheme: "Bearer" }];

/** A token in a request, and the places where it is. */
export interface Found {
  data: string;
  places: Spec[];
}

/** The tokens of one principal. */
export function gather(request: Request, places: Spec[], several: string): Found[] {
  const found: Found[] = [];
  for (const place of places) {
    const mine = [...new Set(readPlace(request, place, places))];
    const isTried = several === "first" && place.cookie !== undefined;
    if (mine.length > (isTried ? (found.length === 0 ? 4 : mine.length) : 1)) throw new Denied("token_multiple");
    for (const data of mine) {
      const same = found.find((one) => one.data === data);
      if (same === undefined) found.push({ data, places: [place] });
      else same.places.push(place);
    }
  }
  if (several === "first") return found.filter((one) => one.places[0] === found[0]?.places[0]);
  if (found.length > 1) throw new Denied("token_multiple");
  return found;
}

function readPlace(request: Request, place: Spec, places: Spec[]): string[] {
  return tokensIn(request, place, places).filter((token) => token !== "");
}

function tokensIn(request: Request, place: Spec, places: Spec[]): string[] {
  if (place.cookie !== undefined) {
    return request.cookies.filter(([name]) => name === place.cookie).map(([, value]) => value.replace(/^"(.*)"$/s, "$1"));
  }
  if (place.query !== undefined) {
    return request.parameters.filter(({ name }) => isNamed(name, place.query)).map(({ value }) => {
      if (/%(?![0-9A-Fa-f]{2})/.test(value)) throw new Denied("token_malformed");
      return decoded(value);
    });
  }
  if (place.websocket_protocol !== undefined) return readProtocols(request, place.websocket_protocol).map(({ token }) => token);
  const header = place.header.toLowerCase();
  const values = request.fields(header);
  if (place.scheme === undefined) return values.map(unspaced);
  const ofHeader = places.filter((one) => one.header?.toLowerCase() === header && one.scheme !== undefined);
  const schemes = ofHeader.map((one) => one.scheme.toLowerCase());
  const elements = values.flatMap((value) => value.split(",")).map(unspaced).map((element) => {
    const at = element.indexOf(" ");
    return at < 0 ? { scheme: element.toLowerCase(), rest: "" } : { scheme: element.slice(0, at).toLowerCase(), rest: unspaced(element.slice(at)) };
  });
  const good = elements.filter(({ scheme, rest }) => schemes.includes(scheme) && rest !== "");
  if (good.length > 0 && elements.some(({ scheme }) => !schemes.includes(scheme))) throw new Denied("token_multiple");
  const rests = good.filter(({ scheme }) => scheme === place.scheme.toLowerCase()).map(({ rest }) => rest);
  return place.scheme === "Basic" ? rests.map(password) : rests;
}

export function isNamed(name: string, wanted: string): boolean {
  return decoded(name.replaceAll("+", " ")) === latin(new TextEncoder().encode(wanted));
}

/** credential.basic. */
function password(value: string): string {
  const malformed = new Denied("token_malformed");
  let plain: string;
  try {
    plain = atob(value);
  } catch {
    throw malformed;
  }
  const at = plain.indexOf(":");
  if (base64(bytes(plain)) !== value || at < 0) throw malformed;
  return plain.slice(at + 1);
}

export function readProtocols(request: Request, spec: Spec): { element: string; token: string }[] {
  const elements = protocols(request);
  if (spec.after !== undefined) {
    const marked = elements.map((element, index) => ({ element, mark: elements[index - 1] }));
    return marked.filter(({ mark }) => mark === spec.after).map(({ element }) => ({ element, token: element }));
  }
  const mine = elements.filter((element) => element.startsWith(spec.prefix));
  return mine.map((element) => {
    const rest = element.slice(spec.prefix.length);
    if (spec.base64url !== true) return { element, token: rest };
    try {
      return { element, token: latin(unbase64url(rest)) };
    } catch {
      throw new Denied("token_malformed");
    }
  });
}

export function protocols(request: Request): string[] {
  const elements = request.fields("sec-websocket-protocol").flatMap((value) => value.split(","));
  return elements.map(unspaced).filter((element) => element !== "");
}

export function unspaced(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** origin.*. */
export function checkOrigin(request: Request, places: Spec[]): void {
  if (places.some((place) => place.same_origin !== true)) return;
  const names = request.headers.map(([name]) => name);
  const isHandshake = names.includes("upgrade") || names.includes(":protocol") || request.fields("sec-fetch-mode").includes("websocket");
  if (["GET", "HEAD", "OPTIONS", "TRACE"].includes(request.method) && !isHandshake) return;
  const origins = request.fields("origin");
  const isTrusted = ({ trusted_origins = [] }: Spec) => origins.every((origin) => trusted_origins.includes(origin));
  if (origins.length > 0 && places.some(isTrusted)) return;
  const sites = request.fields("sec-fetch-site");
  const isOurs = sites.length > 0
    ? sites.every((site) => site === "same-origin" || site === "none")
    : origins.length > 0 && origins.every((origin) => isSameOrigin(origin, request.authority));
  if (!isOurs) throw new Denied("origin_denied");
}

function isSameOrigin(origin: string, authority: string): boolean {
  const parts = /^(https?):\/\/([^/?#@]*)$/.exec(origin.toLowerCase());
  if (parts === null || authority === "") return false;
  const plain = (host: string) => (host.endsWith(parts[1] === "https" ? ":443" : ":80") ? host.replace(/:[0-9]+$/, "") : host);
  return plain(parts[2] as string) === plain(authority.toLowerCase());
}
