import { serve } from "./fastify-app.mjs";

await serve({ http2: true });
