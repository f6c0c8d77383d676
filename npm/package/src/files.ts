// Files, in Node.js 20.16 or newer, Bun and Deno. Bundlers for other runtimes must not find the name of a module of Node.js here.

interface Files {
  openSync(path: URL | string, flags: "r" | "w"): number;
  readSync(file: number, into: Uint8Array, at: number, length: number, from: null): number;
  writeSync(file: number, text: string): unknown;
  fsyncSync(file: number): void;
  closeSync(file: number): void;
  renameSync(from: URL | string, to: URL | string): void;
}

/** `undefined` if this runtime has no files. */
function files(): Files | undefined {
  type Node = { getBuiltinModule?(name: "fs"): Files };
  return (globalThis as { process?: Node }).process?.getBuiltinModule?.("fs");
}

/** @throws Error if this runtime has no files, or if the file cannot be read or has more bytes. `isMissing` of it says that there is no such file. */
export function readFile(path: URL | string, maxBytes: number): Uint8Array {
  const has = files();
  if (!has) throw new Error("this runtime cannot read files");
  let bytes: Uint8Array;
  try {
    const file = has.openSync(path, "r");
    try {
      bytes = readUntil(has, file, maxBytes + 1);
    } finally {
      has.closeSync(file);
    }
  } catch (fault) {
    throw Object.assign(new Error("the file cannot be read"), { isMissing: (fault as { code?: unknown }).code === "ENOENT" });
  }
  if (bytes.length > maxBytes) throw new Error(`the file has more than ${maxBytes} bytes`);
  return bytes;
}

/** The file, or as many bytes of it. */
function readUntil(has: Files, file: number, most: number): Uint8Array {
  let bytes = new Uint8Array(Math.min(most, 1 << 16));
  for (let length = 0; ; ) {
    const read = has.readSync(file, bytes, length, bytes.length - length, null);
    length += read;
    if (read === 0 || length === most) return bytes.subarray(0, length);
    if (length < bytes.length) continue;
    const longer = new Uint8Array(Math.min(most, 2 * length));
    longer.set(bytes);
    bytes = longer;
  }
}

/** Reads a file of a policy. @throws `unavailable` with the reason. */
export function fileAt(url: URL, maxBytes: number, unavailable: (message: string) => Error): Uint8Array {
  try {
    return readFile(url, maxBytes);
  } catch (fault) {
    throw unavailable((fault as Error).message);
  }
}

/**
 * Replaces a file by this text: after a crash it has the old text or the new one, and when the call returns, the new one is on the disk.
 * @throws Error if this runtime has no files, or if the file cannot be written.
 */
export function replaceFile(path: URL | string, text: string): void {
  const has = files();
  if (!has) throw new Error("this runtime cannot write files");
  const next = `${path instanceof URL ? path.href : path}.new`;
  const at = path instanceof URL ? new URL(next) : next;
  try {
    const file = has.openSync(at, "w");
    try {
      has.writeSync(file, text);
      has.fsyncSync(file);
    } finally {
      has.closeSync(file);
    }
    has.renameSync(at, path);
  } catch {
    throw new Error("the file cannot be written");
  }
  syncFolder(has, at);
}

/** The new name is on the disk only with its folder. */
function syncFolder(has: Files, of: URL | string): void {
  try {
    const folder = has.openSync(of instanceof URL ? new URL(".", of) : of.replace(/[^/\\]*$/, "") || ".", "r");
    try {
      has.fsyncSync(folder);
    } finally {
      has.closeSync(folder);
    }
  } catch {
    // Windows has no such call.
  }
}
