// Hono on Node.js, with its own adapter.

import { serve } from "@hono/node-server";
import { countersign } from "countersign/hono";
import { Hono } from "hono";
import { gate, isOpen, pairs, seen, serving, shared } from "./backend.mjs";

const app = new Hono();
app.use(countersign(gate));

const say = (name) => (c) => {
  const handler = seen(name, Object.fromEntries(c.req.raw.headers), ...pairs(c.env.incoming.rawHeaders));
  c.header("x-handler", handler);
  return c.text(`handler=${handler}`);
};

app.all("/hosted", (c, next) => (isOpen(new URL(c.req.url).host) ? say("hosted")(c) : next()));
app.all("/public/*", say("public"));
shared(app, say);
app.all("/admin/*", say("admin"));
app.all("/a b", say("space"));
// Without the pattern, `:c` would be a parameter.
app.all("/:mail{a@b:c}/*", say("mail"));
app.all("/*", say("rest"));

const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () => serving(server));
