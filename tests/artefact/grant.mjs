// Reads a grant from the memory of the module. npm/src/grant.rs documents the
// format. It does not use the reader of the npm package, because the module is
// tested before the package.

const ABSENT = 0xffff_ffff;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** `view` and `bytes` are views of the module's memory; `at` is the result of `Gate.grant`. */
export function readGrant(view, bytes, at) {
  const number = (index) => view.getUint32(at + 8 + 4 * index, true);
  const [textBytes, ...counts] = [0, 1, 2, 3, 4, 5].map(number);
  const strings = 6 + counts.reduce((sum, count) => sum + count) + counts[4];
  const from = at + 8 + 4 * (6 + strings);
  const text = decoder.decode(bytes.subarray(from, from + textBytes));
  let [next, place] = [6, 0];
  const string = () => {
    const length = number(next++);
    return length === ABSENT ? null : text.slice(place, (place += length));
  };
  const list = (count, item = string) => Array.from({ length: count }, item);

  const [issuer, iss, subject, token_type, tenant, claims] = list(6);
  const [tenants, roles, scopes, remove_headers] = counts.slice(0, 4).map((count) => list(count));
  const set_headers = list(counts[4], () => list(2));
  const expires = view.getFloat64(at, true);
  const expires_at_ms = Number.isNaN(expires) ? null : expires;
  const principal = { issuer, iss, subject, token_type, tenant, tenants, roles, scopes, expires_at_ms, claims };
  return { principal: issuer === null ? null : principal, remove_headers, set_headers };
}
