// The one instance of the module, and its memory.

import init, * as glue from "./glue/countersign.js";
import { requireInterface } from "./interface.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

let memory: WebAssembly.Memory | undefined;
let view: DataView;
/** Detached, and so empty, before the first use and after the memory has grown. */
let bytes = new Uint8Array();
/** Extra bytes, so that a slightly longer text needs no new allocation. */
const SPARE = 1024;
/** The buffer of the last call. Its `text` is detached, and so empty, after the memory has grown. */
let buffer: { gate?: glue.Gate; numbers: number; place: number; text: Uint8Array } = { numbers: 0, place: 0, text: bytes };

/** The number of the current instance: gates of an earlier one no longer exist. */
export let incarnation = 0;

/**
 * Starts the module, once.
 * @throws CountersignError if it has another interface than this package, also if another module was started before.
 */
export async function start(module: WebAssembly.Module): Promise<void> {
  requireInterface(module);
  // `init` reads the globals `Request` and `Response`, which makes Node.js load its `fetch`: tens of milliseconds.
  // `initSync` does not accept a module of another realm, such as the edge runtime's.
  memory ??= ("Buffer" in globalThis && module instanceof WebAssembly.Module ? glue.initSync({ module }) : await init({ module_or_path: module })).memory;
}

/** Discards the instance and every gate in it, after a trap, and starts a new one. */
export function restart(): void {
  incarnation++;
  glue.__wbg_reset_state();
  bytes = new Uint8Array();
  // The glue keeps the compiled module from the first start, so it needs none here.
  memory = glue.initSync({ module: undefined as never }).memory;
}

/** Writes a request into the gate's buffer: the lengths, then the strings. Returns the number of bytes. */
export function writeRequest(gate: glue.Gate, strings: readonly string[]): number {
  const numbers = 4 * (strings.length + 1);
  let text = "";
  for (const string of strings) text += string;
  let place = write(gate, numbers, text);
  view.setUint32(place, strings.length, true);
  for (const string of strings) view.setUint32((place += 4), string.length, true);
  return numbers + text.length;
}

/** Writes a token into the gate's buffer. Returns the number of bytes. */
export function writeToken(gate: glue.Gate, token: string): number {
  write(gate, 0, token);
  return token.length;
}

/**
 * Writes a text after `numbers` bytes that are reserved for numbers, and returns the address of these. Each character
 * becomes one byte, as HTTP stacks read headers. A character above 0xFF becomes 0xFF, which no token and no path contains.
 */
function write(gate: glue.Gate, numbers: number, text: string): number {
  if (buffer.gate !== gate || buffer.numbers !== numbers || buffer.text.length <= text.length) {
    const length = numbers + text.length + SPARE;
    const place = gate.room(length);
    viewMemory();
    buffer = { gate, numbers, place, text: bytes.subarray(place + numbers, place + length) };
  }
  const { read, written } = encoder.encodeInto(text, buffer.text);
  // If there are as many bytes as characters, the text is ASCII.
  if (read !== text.length || written !== text.length) {
    for (let index = 0; index < text.length; index++) {
      buffer.text[index] = Math.min(text.charCodeAt(index), 0xff);
    }
  }
  return buffer.place;
}

/** A view of the whole memory, renewed if the memory has grown. */
export function viewMemory(): DataView {
  if (bytes.length === 0) {
    view = new DataView(memory!.buffer);
    bytes = new Uint8Array(memory!.buffer);
  }
  return view;
}

/** Reads UTF-8 from the memory. Call {@link viewMemory} first. */
export function readText(from: number, length: number): string {
  return decoder.decode(bytes.subarray(from, from + length));
}
