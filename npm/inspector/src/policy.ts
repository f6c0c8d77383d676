// A policy as operators write it: JSON goes to the gate as it is, YAML becomes JSON.

import type { Problem } from "countersign";
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";

/** A policy's text, read. */
export interface Source {
  /** What the gate opens. */
  readonly json: string;
  /** Where something is, as `line:column`; empty where that is unknown. */
  place(pointer: string): string;
}

/** A problem, and where it is in the text. */
export type Located = Problem & { readonly place: string };

/** What the page itself reads of a policy that the gate has opened. */
export interface Opened {
  readonly leeway_s?: number;
  readonly issuers: readonly {
    readonly name: string;
    readonly issuer: string;
    readonly keys: { readonly jwks_uri?: string; readonly discovery?: unknown };
    readonly revocations?: { readonly uri: string };
  }[];
  readonly credentials?: readonly { readonly header?: string; readonly scheme?: string; readonly cookie?: string }[];
}

/** The text as JSON, or what is wrong with it as YAML. */
export function read(text: string): Source | readonly Located[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const place = (pointer: string) => at(offsetOf(document, pointer));
  if (isJson(text)) return { json: text, place };
  if (document.errors.length > 0) {
    return document.errors.map(({ message, pos: [offset] }) => ({ ...problem(message), place: at(offset) }));
  }
  try {
    // Bounded: aliases are not multiplied without end.
    return { json: JSON.stringify(document.toJS({ maxAliasCount: 100 })) ?? "null", place };
  } catch (error) {
    return [{ ...problem(error instanceof Error ? error.message : "it cannot be read"), place: "" }];
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function problem(message: string): Problem {
  return { pointer: "", code: "yaml_invalid", message: message.charAt(0).toLowerCase() + message.slice(1), severity: "error" };
}

/** Of the deepest part of a JSON Pointer that is there. */
function offsetOf({ contents }: Document, pointer: string): number {
  let node: unknown = contents;
  let offset = isNode(contents) ? (contents.range?.[0] ?? 0) : 0;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === name);
      if (isScalar(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair?.value;
    } else {
      node = isSeq(node) ? node.items[Number(name)] : undefined;
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    }
  }
  return offset;
}
