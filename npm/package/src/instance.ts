// The one instance of the module, and its memory.

import init, * as glue from "./glue/countersign.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

let memory: WebAssembly.Memory | undefined;
let view: DataView;
/** Empty before it is first looked at, and when the memory has grown since. */
let bytes = new Uint8Array();
/** So that a text a little longer than the last needs nothing new. */
const SPARE = 1024;
/** Where what was asked last was written. Its text is empty when the memory has grown since. */
let room: { gate?: glue.Gate; numbers: number; place: number; text: Uint8Array } = { numbers: 0, place: 0, text: bytes };

/** Says which instance it is: gates of another one are gone. */
export let incarnation = 0;

/** Starts the module, if nobody has. */
export async function start(module: WebAssembly.Module): Promise<void> {
  // `init` looks at `Request` and `Response`, for which Node.js loads its whole `fetch`: tens of milliseconds.
  // `initSync` would not know a module of another realm, such as the edge runtime's.
  memory ??= ("Buffer" in globalThis && module instanceof WebAssembly.Module ? glue.initSync({ module }) : await init({ module_or_path: module })).memory;
}

/** After a trap: throws the instance away, and every gate in it. */
export function restart(): void {
  incarnation++;
  glue.__wbg_reset_state();
  bytes = new Uint8Array();
  // The module is known: this only says what was made of it.
  memory = glue.initSync({ module: undefined as never }).memory;
}

/** Writes a request where the gate reads it: the lengths, then the strings. Returns how many bytes it takes. */
export function writeRequest(gate: glue.Gate, strings: readonly string[]): number {
  const numbers = 4 * (strings.length + 1);
  let text = "";
  for (const string of strings) text += string;
  let place = write(gate, numbers, text);
  view.setUint32(place, strings.length, true);
  for (const string of strings) view.setUint32((place += 4), string.length, true);
  return numbers + text.length;
}

/** Writes a token where the gate reads it. */
export function writeToken(gate: glue.Gate, token: string): number {
  write(gate, 0, token);
  return token.length;
}

/**
 * Writes a text behind so many bytes for numbers, and returns where these begin. A byte a character, as HTTP stacks
 * read headers. What is no byte becomes 0xFF, which no token and no path holds.
 */
function write(gate: glue.Gate, numbers: number, text: string): number {
  if (room.gate !== gate || room.numbers !== numbers || room.text.length <= text.length) {
    const length = numbers + text.length + SPARE;
    const place = gate.room(length);
    viewMemory();
    room = { gate, numbers, place, text: bytes.subarray(place + numbers, place + length) };
  }
  const { read, written } = encoder.encodeInto(text, room.text);
  // As many bytes as characters: ASCII.
  if (read !== text.length || written !== text.length) {
    for (let index = 0; index < text.length; index++) {
      room.text[index] = Math.min(text.charCodeAt(index), 0xff);
    }
  }
  return room.place;
}

/** The memory as it is now. */
export function viewMemory(): DataView {
  if (bytes.length === 0) {
    view = new DataView(memory!.buffer);
    bytes = new Uint8Array(memory!.buffer);
  }
  return view;
}

/** UTF-8 in the memory that was viewed last. */
export function readText(from: number, length: number): string {
  return decoder.decode(bytes.subarray(from, from + length));
}
