// The target that Next.js serves for a request, which is not always the one in its URL.

import type { Head } from "./request.js";

/** `NextURL`: a URL, parsed with the configuration of the application. */
export interface NextAddress {
  /** Without the base path and the locale. */
  readonly pathname: string;
  readonly search: string;
  readonly basePath: string;
  /** The URL's locale, or the default one; empty if the application has none. */
  readonly locale: string;
  /** Setting it parses another URL. */
  href: string;
  clone(): NextAddress;
}

/** The part of `NextRequest` that has its URL. */
export interface RequestUrl {
  readonly url: string;
  readonly nextUrl: NextAddress;
}

export interface Target {
  /** The target that the gate checks, in origin form. */
  readonly checked: string;
  /** The URL for Next.js, so that it serves the checked target even if it hides the original URL from the proxy. */
  readonly served: string;
}

const DATA = /^\/_next\/data\/[^/]+\/(.*)\.json$/;

/**
 * The target of a request; `undefined` if it cannot be determined.
 *
 * | URL | checked as |
 * |---|---|
 * | `/_next/data/…/x.json` | `/x`: the page that the data belongs to |
 * | `/_next/image?url=/x` | `/x`: the source image, also if it comes from the cache. An image of another server is checked as `/_next/image` |
 * | with the prefix of a locale | without the prefix, because the page is the same. A `basePath` stays |
 * | a segment begins with `(.)` or `(..)` | `undefined`: an intercepting route serves the page of another path |
 */
export function nextTarget({ url, nextUrl }: RequestUrl): Target | undefined {
  const page = DATA.exec(nextUrl.pathname)?.[1];
  const { origin } = new URL(url);
  // Next.js still serves the data of this page: it remembers that the request was for data.
  const address = page === undefined ? nextUrl : read(origin + nextUrl.basePath + (page === "index" ? "" : `/${page}`) + nextUrl.search, nextUrl);
  const { basePath, pathname, search, locale } = address;
  if (isIntercepted(pathname)) return undefined;
  const checked = /^\/_next\/image\/?$/.test(pathname) ? imageOf(basePath + pathname, search) : below(basePath, pathname) + search;
  // `rewrites` need the prefix of the default locale too.
  const prefix = locale === "" || pathname.startsWith("/_next/") ? basePath : `${basePath}/${locale}`;
  return checked === undefined ? undefined : { checked, served: origin + below(prefix, pathname) + search };
}

/** Parses another URL with the same configuration. */
function read(address: string, nextUrl: NextAddress): NextAddress {
  return Object.assign(nextUrl.clone(), { href: address });
}

const isIntercepted = (pathname: string) => pathname.split("/").some((segment) => /^(?:\(|%28)(?:\.|%2e)/i.test(segment));

/** The root of the application is the base path without a slash. */
const below = (basePath: string, pathname: string) => (pathname === "/" && basePath !== "" ? basePath : basePath + pathname);

function imageOf(path: string, search: string): string | undefined {
  const [source, ...others] = new URLSearchParams(search).getAll("url");
  if (source === undefined || others.length > 0) return undefined;
  if (/^https?:\/\//i.test(source)) return path + search;
  return source.startsWith("/") && !source.startsWith("//") ? source : undefined;
}

/** The URL in Next.js has another host than the one that was requested, which is in the headers. */
export function headOf({ method, headers }: Request, target: Target | undefined): Head {
  return { method, authority: "", target: target?.checked ?? "", headers };
}

/** The URL to serve with the query that the grant sets; `undefined` if the grant sets the path too, for it has another form here. */
export function retargeted(target: Target | undefined, set: string): string | undefined {
  const [path, query] = split(set);
  if (target === undefined || path !== split(target.checked)[0]) return undefined;
  const [served, before] = split(target.served);
  // An image is checked as its source, whose query is not that of the URL.
  return before === split(target.checked)[1] ? served + query : undefined;
}

function split(target: string): [path: string, query: string] {
  const at = target.indexOf("?");
  return at < 0 ? [target, ""] : [target.slice(0, at), target.slice(at)];
}
