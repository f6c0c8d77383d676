// The module's bytes are inlined in the code, because bundlers do not copy files.

import { base64 } from "./inlined.js";

export function inlinedModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(decode(base64));
}

function decode(base64: string): BufferSource {
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer> } };
  if (Buffer) return Buffer.from(base64, "base64");
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}
