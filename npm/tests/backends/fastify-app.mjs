// Fastify, over HTTP/1 or HTTP/2.

import { countersign } from "countersign/fastify";
import fastify from "fastify";
import { gate, pairs, seen, serving } from "./backend.mjs";

export async function serve(options) {
  const app = fastify({ ...options, routerOptions: { ignoreTrailingSlash: true } });
  await app.register(countersign, { gate });

  const say = (name) => (request, reply) => {
    const handler = seen(name, request.headers, ...pairs(request.raw.rawHeaders));
    reply.header("x-handler", handler).send(`handler=${handler}`);
  };
  const route = (url, name, more = {}) => app.all(url, more, say(name));

  route("/hosted", "hosted", { constraints: { host: /^open\.example\.com\.?(:\d*)?$/i } });
  for (const name of ["public", "admin"]) for (const end of ["", "/*"]) route(`/${name}${end}`, name);
  route("/items/:id", "item");
  route("/items/:id/edit", "edit");
  route("/Reports/:id", "report");
  route("/a b", "space");
  for (const end of ["", "/*"]) route(`/a@b::c${end}`, "mail");
  route("/*", "rest");

  await app.listen({ port: 0, host: "127.0.0.1" });
  serving(app.server);
}
