declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}

// The parts of the frameworks that the adapters use or extend.

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
    static rewrite(destination: string, init: { request: { headers: Headers } }): NextResponse;
  }
}

declare const process: { env: { [name: string]: string | undefined; NEXT_RUNTIME?: string; __NEXT_NO_MIDDLEWARE_URL_NORMALIZE?: string } };
