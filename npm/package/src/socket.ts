// The connection of a request of Node.js, from its socket.

import { type Connection, keep } from "./connection.js";
import type { Incoming } from "./incoming.js";

/** The parts of `net.Socket` and `tls.TLSSocket` that are read. */
interface Socket {
  readonly encrypted?: boolean;
  readonly remoteAddress?: string | undefined;
  getPeerCertificate?(): { readonly fingerprint256?: string } | null;
}

const connections = new WeakMap<object, Connection>();

/** A connection is read once, at its first request. */
export function connectionOf(request: Incoming): Connection | undefined {
  try {
    // In HTTP/2, each request has a socket of its own for the same connection.
    const socket = request.stream?.session?.socket ?? request.socket;
    if (!socket) return undefined;
    const known = connections.get(socket);
    if (known) return known;
    const connection = keep(read(socket));
    connections.set(socket, connection);
    return connection;
  } catch {
    // The connection is closed.
    return undefined;
  }
}

function read(socket: Socket): Connection {
  return { scheme: socket.encrypted === true ? "https" : "http", certificate: certificateOf(socket), peer: socket.remoteAddress };
}

/**
 * The handshake has proven that the client has its key. Who has issued it does not count: a token names the certificate
 * itself, which can be self-signed (RFC 8705 §2.2). `fingerprint256` is the SHA-256 of its DER, in hexadecimal with colons.
 */
function certificateOf(socket: Socket): Uint8Array | undefined {
  const digits = socket.getPeerCertificate?.()?.fingerprint256;
  return digits === undefined ? undefined : Uint8Array.from(digits.split(":"), (byte) => parseInt(byte, 16));
}
