import { CountersignError } from "./error.js";
import { readFile, replaceFile } from "./files.js";

/** The highest version that was put in force: of this process, and over a restart in a file, if there is one. */
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
    try {
      if (this.#file !== undefined) replaceFile(this.#file, `${version}\n`);
    } catch (fault) {
      throw refusal((fault as Error).message);
    }
    this.#version = version;
  }
}

function kept(file: string | URL): number {
  let text: string;
  try {
    text = new TextDecoder().decode(readFile(file)).trim();
  } catch (fault) {
    if ((fault as { isMissing?: boolean }).isMissing) return 0;
    throw refusal((fault as Error).message);
  }
  if (!/^\d{1,15}$/.test(text)) throw refusal("it has no version");
  return Number(text);
}

function refusal(message: string): CountersignError {
  return CountersignError.of("state file", "state_unavailable", message);
}
