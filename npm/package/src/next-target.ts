// What Next.js is going to serve for a request, which is not always what its address says.

/** The part of `NextRequest` that says so. */
export interface NextAddress {
  readonly url: string;
  readonly nextUrl?: { readonly pathname: string; readonly search: string; readonly basePath: string };
}

const DATA = /^\/_next\/data\/[^/]+\/(.*)\.json$/;

/**
 * The target to be judged, in origin form; `undefined` where what is served cannot be told:
 *
 * | address | judged as |
 * |---|---|
 * | `/_next/data/…/x.json` | `/x`: the page whose data it is |
 * | `/_next/image?url=/x` | `/x`: the image that is read, also where it comes out of the cache. Another server's is judged as it stands |
 * | with a locale's prefix | without it: the page is the same. With `basePath`: with it |
 * | a segment that begins `(.)` or `(..)` | not at all: an intercepting route serves the page of another path |
 */
export function nextTarget({ url, nextUrl }: NextAddress): string | undefined {
  const { basePath, pathname, search } = nextUrl ?? { ...part(new URL(url)), basePath: "" };
  if (pathname.split("/").some((segment) => /^(?:\(|%28)(?:\.|%2e)/i.test(segment))) return undefined;
  if (/^\/_next\/image\/?$/.test(pathname)) return imageOf(basePath + pathname, search);
  const page = DATA.exec(pathname)?.[1];
  const served = page === undefined ? pathname : page === "index" ? "/" : `/${page}`;
  // The base path alone is its root.
  return (served === "/" && basePath !== "" ? basePath : basePath + served) + search;
}

const part = ({ pathname, search }: URL) => ({ pathname, search });

function imageOf(path: string, search: string): string | undefined {
  const [source, ...others] = new URLSearchParams(search).getAll("url");
  if (source === undefined || others.length > 0) return undefined;
  if (/^https?:\/\//i.test(source)) return path + search;
  return source.startsWith("/") && !source.startsWith("//") ? source : undefined;
}
