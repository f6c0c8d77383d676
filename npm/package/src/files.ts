// Files, in Node.js 20.16 or newer, Bun and Deno. Bundlers for other runtimes must not find the name of a module of Node.js here.

interface Files {
  readFileSync(path: URL | string): Uint8Array;
  openSync(path: URL | string, flags: "w"): number;
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

/** @throws Error if this runtime has no files, or if the file cannot be read. `isMissing` of it says that there is no such file. */
export function readFile(path: URL | string): Uint8Array {
  const has = files();
  if (!has) throw new Error("this runtime cannot read files");
  try {
    return has.readFileSync(path);
  } catch (fault) {
    throw Object.assign(new Error("the file cannot be read"), { isMissing: (fault as { code?: unknown }).code === "ENOENT" });
  }
}

/** Reads a file of a policy. @throws `unavailable` with the reason. */
export function fileAt(url: URL, unavailable: (message: string) => Error): Uint8Array {
  try {
    return readFile(url);
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
}
