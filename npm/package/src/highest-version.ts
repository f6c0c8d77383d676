import { CountersignError } from "./error.js";
import { readFile, replaceFile } from "./files.js";

/** Of a state file. */
const LARGEST_BYTES = 1 << 16;

/** The highest version that was put in force: of this process, and over a restart in a file, if there is one: `{"version":7}`, as in every host. */
export class HighestVersion {
  readonly #file: string | URL | undefined;
  #version: number;

  /** @throws CountersignError if there is a file that cannot be read: an old policy could then come back. */
  constructor(least: number, file: string | URL | undefined) {
    this.#file = file;
    this.#version = Math.max(least, file === undefined ? 0 : kept(file));
  }

  get value(): number {
    return this.#version;
  }

  /** @throws CountersignError if the file cannot be written. */
  raise(version: number): void {
    if (version <= this.#version) return;
    if (!Number.isSafeInteger(version)) throw refusal("it cannot keep a version above 2^53 - 1");
    try {
      if (this.#file !== undefined) replaceFile(this.#file, `${JSON.stringify({ version })}\n`);
    } catch (fault) {
      throw refusal((fault as Error).message);
    }
    this.#version = version;
  }
}

function kept(file: string | URL): number {
  let text: string;
  try {
    text = new TextDecoder().decode(readFile(file, LARGEST_BYTES));
  } catch (fault) {
    if ((fault as { isMissing?: boolean }).isMissing) return 0;
    throw refusal((fault as Error).message);
  }
  const version = versionOf(text);
  if (version === undefined) throw refusal("it has no version");
  return version;
}

function versionOf(text: string): number | undefined {
  try {
    const { version } = JSON.parse(text);
    return Number.isSafeInteger(version) && version >= 0 ? version : undefined;
  } catch {
    return undefined;
  }
}

function refusal(message: string): CountersignError {
  return CountersignError.of("state file", "state_file_unusable", message);
}
