// What Next.js is going to serve for a request, which is not always what its address says.

/** `NextURL`: an address as the configuration of the application reads it. */
export interface NextAddress {
  /** Without the base path, and without a locale. */
  readonly pathname: string;
  readonly search: string;
  readonly basePath: string;
  /** The address's own, or the default one; empty where there are none. */
  readonly locale: string;
  /** Reads another one. */
  href: string;
  clone(): NextAddress;
}

export interface Asked {
  readonly url: string;
  readonly nextUrl: NextAddress;
}

export interface Target {
  /** In origin form, for the gate. */
  readonly judged: string;
  /** For Next.js: what it serves then is what was judged, whatever the address was that it hides from the proxy. */
  readonly served: string;
}

const DATA = /^\/_next\/data\/[^/]+\/(.*)\.json$/;

/**
 * `undefined` where what is served cannot be told.
 *
 * | address | judged as |
 * |---|---|
 * | `/_next/data/…/x.json` | `/x`: the page whose data it is |
 * | `/_next/image?url=/x` | `/x`: the image that is read, also where it comes out of the cache. Another server's is judged as it stands |
 * | with a locale's prefix | without it: the page is the same. With `basePath`: with it |
 * | a segment that begins `(.)` or `(..)` | not at all: an intercepting route serves the page of another path |
 */
export function nextTarget({ url, nextUrl }: Asked): Target | undefined {
  const page = DATA.exec(nextUrl.pathname)?.[1];
  const { origin } = new URL(url);
  // That a page's data was asked for, Next.js does not forget.
  const address = page === undefined ? nextUrl : read(origin + nextUrl.basePath + (page === "index" ? "" : `/${page}`) + nextUrl.search, nextUrl);
  const { basePath, pathname, search, locale } = address;
  if (isIntercepted(pathname)) return undefined;
  const judged = /^\/_next\/image\/?$/.test(pathname) ? imageOf(basePath + pathname, search) : below(basePath, pathname) + search;
  // Also the default locale is what its `rewrites` look for.
  const prefix = locale === "" || pathname.startsWith("/_next/") ? basePath : `${basePath}/${locale}`;
  return judged === undefined ? undefined : { judged, served: origin + below(prefix, pathname) + search };
}

/** As the same application reads another address. */
function read(address: string, nextUrl: NextAddress): NextAddress {
  return Object.assign(nextUrl.clone(), { href: address });
}

const isIntercepted = (pathname: string) => pathname.split("/").some((segment) => /^(?:\(|%28)(?:\.|%2e)/i.test(segment));

/** The base path alone is its root. */
const below = (basePath: string, pathname: string) => (pathname === "/" && basePath !== "" ? basePath : basePath + pathname);

function imageOf(path: string, search: string): string | undefined {
  const [source, ...others] = new URLSearchParams(search).getAll("url");
  if (source === undefined || others.length > 0) return undefined;
  if (/^https?:\/\//i.test(source)) return path + search;
  return source.startsWith("/") && !source.startsWith("//") ? source : undefined;
}
