import { serve } from "./fastify-app.mjs";

await serve({});
