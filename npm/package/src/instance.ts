// Instances of the module, and their memory.

import * as glue from "./glue/countersign.js";
import { requireInterface } from "./interface.js";
import type { Asked } from "./request.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Extra bytes, so that a slightly longer text needs no new allocation. */
const SPARE = 1024;

/** What wasm-bindgen has written. It holds one instance: a copy of it holds another. */
export type Glue = typeof glue;

/** An instance, which is replaced after a trap. */
export class Instance {
  readonly glue: Glue;
  /** The number of the current instance: gates of an earlier one no longer exist. */
  incarnation = 0;
  #memory: WebAssembly.Memory | undefined;
  #view!: DataView;
  /** Detached, and so empty, before the first use and after the memory has grown. */
  #bytes = new Uint8Array();
  /** The buffer of the last call. Its `text` is detached, and so empty, after the memory has grown. */
  #buffer: { gate?: glue.Gate; numbers: number; place: number; text: Uint8Array } = { numbers: 0, place: 0, text: this.#bytes };

  constructor(glue: Glue) {
    this.glue = glue;
  }

  /**
   * Starts the module, once.
   * @throws CountersignError if it has another interface than this package, also if another module was started before.
   */
  async start(module: WebAssembly.Module): Promise<void> {
    requireInterface(module);
    const { initSync, default: init } = this.glue;
    // `init` reads the globals `Request` and `Response`, which makes Node.js load its `fetch`: tens of milliseconds.
    // `initSync` does not accept a module of another realm, such as the edge runtime's.
    this.#memory ??= ("Buffer" in globalThis && module instanceof WebAssembly.Module ? initSync({ module }) : await init({ module_or_path: module })).memory;
  }

  /** Discards the instance and every gate in it, after a trap, and starts a new one. */
  restart(): void {
    this.incarnation++;
    this.glue.__wbg_reset_state();
    this.#bytes = new Uint8Array();
    // The glue keeps the compiled module from the first start, so it needs none here.
    this.#memory = this.glue.initSync({ module: undefined as never }).memory;
  }

  /** Writes a request into the gate's buffer: the lengths, then the strings. Returns the number of bytes. */
  writeRequest(gate: glue.Gate, { strings, bytes }: Asked): number {
    const numbers = 4 * (strings.length + 1);
    let text = "";
    for (const string of strings) text += string;
    let place = this.#write(gate, numbers, text);
    this.#view.setUint32(place, strings.length, true);
    for (const string of strings) this.#view.setUint32((place += 4), string.length, true);
    if (bytes.length > 0) this.#buffer.text.set(bytes, placeOf(4, strings));
    return numbers + text.length;
  }

  /** Writes a token into the gate's buffer. Returns the number of bytes. */
  writeToken(gate: glue.Gate, token: string): number {
    this.#write(gate, 0, token);
    return token.length;
  }

  /**
   * Writes a text after `numbers` bytes that are reserved for numbers, and returns the address of these. Each character
   * becomes one byte, as HTTP stacks read headers. A character above 0xFF becomes 0xFF, which no token and no path contains.
   */
  #write(gate: glue.Gate, numbers: number, text: string): number {
    if (this.#buffer.gate !== gate || this.#buffer.numbers !== numbers || this.#buffer.text.length <= text.length) {
      const length = numbers + text.length + SPARE;
      const place = gate.room(length);
      this.viewMemory();
      this.#buffer = { gate, numbers, place, text: this.#bytes.subarray(place + numbers, place + length) };
    }
    const { place, text: room } = this.#buffer;
    const { read, written } = encoder.encodeInto(text, room);
    // If there are as many bytes as characters, the text is ASCII.
    if (read !== text.length || written !== text.length) {
      for (let index = 0; index < text.length; index++) room[index] = Math.min(text.charCodeAt(index), 0xff);
    }
    return place;
  }

  /** A view of the whole memory, renewed if the memory has grown. */
  viewMemory(): DataView {
    if (this.#bytes.length === 0) {
      this.#view = new DataView(this.#memory!.buffer);
      this.#bytes = new Uint8Array(this.#memory!.buffer);
    }
    return this.#view;
  }

  /** A view of a part of the memory. Call {@link viewMemory} first. */
  viewBytes(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from, to);
  }

  /** Reads UTF-8 from the memory. Call {@link viewMemory} first. */
  readText(from: number, length: number): string {
    return decoder.decode(this.#bytes.subarray(from, from + length));
  }
}

/** The place of a string among the others. */
function placeOf(index: number, strings: readonly string[]): number {
  return strings.slice(0, index).reduce((sum, { length }) => sum + length, 0);
}

/** The one of all gates in force. */
export const main = new Instance(glue);
