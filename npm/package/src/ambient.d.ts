declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}

// The parts of Node.js, and of the frameworks, that the adapters use or extend.

declare module "node:crypto" {
  type KeyObject = { readonly type: string };
  type How = { key: KeyObject; dsaEncoding?: "ieee-p1363"; padding?: number; saltLength?: number };
  export const constants: { RSA_PKCS1_PSS_PADDING: number };
  export const getFips: (() => number) | undefined;
  export function createPublicKey(key: { key: Uint8Array; format: "der"; type: "spki" }): KeyObject;
  export function createSecretKey(key: Uint8Array): KeyObject;
  export function createHmac(hash: string, key: KeyObject): { update(data: Uint8Array): { digest(): Uint8Array } };
  export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
  export function createVerify(hash: string): { update(data: Uint8Array): { verify(key: How, signature: Uint8Array): boolean } };
  export function verify(hash: null, data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean;
}

declare module "@opentelemetry/api" {
  type Attributes = { [name: string]: string | boolean };
  type Described = { description: string; unit?: string };
  interface Meter {
    createCounter(name: string, options: Described): { add(value: number, attributes: Attributes): void };
    createHistogram(name: string, options: Described & { advice?: { explicitBucketBoundaries: number[] } }): { record(value: number, attributes: Attributes): void };
    createObservableCounter(name: string, options: Described): { addCallback(observe: (result: { observe(value: number): void }) => void): void };
  }
  export const metrics: { getMeter(name: string, version: string): Meter };
  export const trace: { getActiveSpan(): { isRecording(): boolean; addEvent(name: string, attributes: Attributes): unknown } | undefined };
}

declare module "hono" {
  interface ContextVariableMap {}
}

declare module "fastify" {
  interface FastifyRequest {}
}

declare module "next/headers.js" {
  export function headers(): Promise<Headers>;
}

declare module "next/server.js" {
  export class NextResponse extends Response {
    static next(): NextResponse;
    static rewrite(destination: string, init: { request: { headers: Headers } }): NextResponse;
  }
}

declare const process: { env: { [name: string]: string | undefined; NEXT_RUNTIME?: string; __NEXT_NO_MIDDLEWARE_URL_NORMALIZE?: string } };
