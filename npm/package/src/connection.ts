/** What is known about the connection of a request: from the connection itself, never from a header. What is absent is not known. */
export interface Connection {
  /** `http` or `https`, as the client used it. */
  readonly scheme?: string | undefined;
  /** The SHA-256 of the certificate (in DER) by which the client has authenticated in TLS: 32 bytes. */
  readonly certificate?: Uint8Array | undefined;
  /** The address of the peer, such as `10.0.0.1`. */
  readonly peer?: string | undefined;
}

/** A connection as the module reads it: characters that hold the place of the bytes, and these. */
export interface Framed {
  readonly texts: readonly [scheme: string, certificate: string, peer: string];
  readonly bytes: Uint8Array;
}

const UNKNOWN: Framed = { texts: ["", "", ""], bytes: new Uint8Array() };

/** Those of sockets, so that a socket's address is read only once. */
const framed = new WeakMap<Connection, Framed>();

export function frame(connection: Connection | undefined): Framed {
  if (connection === undefined) return UNKNOWN;
  return framed.get(connection) ?? read(connection);
}

/** Reads a connection that does not change. */
export function keep(connection: Connection): Connection {
  framed.set(connection, read(connection));
  return connection;
}

function read({ scheme = "", certificate, peer = "" }: Connection): Framed {
  const hash = certificate instanceof Uint8Array ? certificate : UNKNOWN.bytes;
  const address = addressBytes(peer);
  return { texts: [scheme, "\0".repeat(hash.length), "\0".repeat(address.length)], bytes: Uint8Array.of(...hash, ...address) };
}

/** The 4 or 16 bytes of an address; none if it is no address. */
export function addressBytes(text: string): Uint8Array {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const parts = text.split(".").map(Number);
    return Uint8Array.from(parts.every((part) => part <= 255) ? parts : []);
  }
  // The name of the interface, as in `fe80::1%eth0`, is no part of the address.
  const [, address] = /^([0-9a-f:.]+)(%.*)?$/i.exec(text) ?? [];
  if (address === undefined) return UNKNOWN.bytes;
  try {
    const { hostname } = new URL(`http://[${address}]`);
    const [before, after] = hostname.slice(1, -1).split("::").map((groups) => (groups === "" ? [] : groups.split(":"))) as [string[], string[]?];
    const zeros = after ? new Array<string>(8 - before.length - after.length).fill("0") : [];
    return Uint8Array.from([...before, ...zeros, ...(after ?? [])].flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]));
  } catch {
    return UNKNOWN.bytes;
  }
}
