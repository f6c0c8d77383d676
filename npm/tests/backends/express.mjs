// Express with its defaults: it ignores case and a trailing slash.

import { countersign } from "countersign/express";
import express from "express";
import { gate, isOpen, pairs, seen, serving, shared } from "./backend.mjs";

const app = express();
if (gate) app.use(countersign(gate));

const say = (name) => (request, response) => {
  const handler = seen(name, request.headers, request.headersDistinct, ...pairs(request.rawHeaders));
  response.set("x-handler", handler).send(`handler=${handler}`);
};

// Express does not route by host, so the application compares it.
app.all("/hosted", (request, response, next) => (isOpen(request.host) ? say("hosted")(request, response) : next()));
app.all("/public{/*rest}", say("public"));
shared(app, say);
app.use("/admin", say("admin"));
app.all("/a%20b", say("space"));
app.all("/a@b\\:c{/*rest}", say("mail"));
app.use(say("rest"));

const server = app.listen(0, "127.0.0.1", () => serving(server));
