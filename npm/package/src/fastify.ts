import { answerBody, answerHeaders, targetOf } from "./answer.js";
import { applyGrant, dropFromQuery } from "./apply.js";
import type { Grant } from "./decision.js";
import type { Incoming } from "./incoming.js";
import { head } from "./node.js";
import { observer } from "./observer.js";
import { type AdapterOptions, type GateSource, opener } from "./opener.js";

declare module "fastify" {
  interface FastifyRequest {
    /** The grant, for handlers behind the gate. */
    grant: Grant | null;
  }
}

/** The part of Fastify's request that the gate reads, and the `grant` that it adds. */
export interface GatedRequest {
  readonly raw: Incoming;
  readonly query?: unknown;
  /** The grant of an allowed request. */
  grant: Grant | null;
}

/** The part of Fastify's reply that a denial is written to. */
export interface DeniedReply {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(body: string): unknown;
}

/** The part of Fastify that the plugin needs. */
export interface Server {
  decorateRequest(name: "grant", value: null): unknown;
  addHook(name: "onRequest", hook: (request: any, reply: any) => Promise<unknown>): unknown;
}

/** A plugin, to be registered with `{ gate }`. It answers denied requests, and passes allowed ones on with `request.grant` and the headers of the grant. */
export async function countersign(server: Server, { gate, ...options }: { gate: GateSource } & AdapterOptions): Promise<void> {
  server.decorateRequest("grant", null);
  if (options.observe) {
    const observe = observer(gate, options);
    server.addHook("onRequest", async ({ raw }: GatedRequest) => observe(() => head(raw)));
    return;
  }
  const check = opener(gate, options);
  server.addHook("onRequest", async (request: GatedRequest, reply: DeniedReply) => {
    const decision = await check(head(request.raw));
    if (!decision.allow) {
      reply.code(decision.status);
      for (const [name, value] of answerHeaders(decision)) reply.header(name, value);
      return reply.send(answerBody(decision));
    }
    const target = targetOf(decision);
    // Fastify has parsed the query already.
    if (target !== undefined) dropFromQuery(request.query, request.raw.url ?? "", target);
    applyGrant(request.raw, decision);
    request.grant = decision;
    return undefined;
  });
}

// As `fastify-plugin` does: the hook applies to the whole server, not only to the plugin's own routes.
Object.assign(countersign, { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "countersign" });

export default countersign;
