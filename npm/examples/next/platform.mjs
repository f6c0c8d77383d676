// The platform's issuer, for development. Its keys exist only as long as the process.

import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const { publicKey, privateKey } = await generateKeyPair("ES256");
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "development" }] };

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (request.url === "/jwks.json") return answer(200, jwks);
  const isKnown = request.headers.authorization === `Secret ${process.env.PLATFORM_SECRET}`;
  if (request.url !== "/exchange" || !isKnown) return answer(404, {});
  let body = "";
  for await (const part of request) body += part;
  const { subject, tenant, typ = "pat", scope = "api:assets:read" } = JSON.parse(body);
  const token = await new SignJWT({ typ, tenant_id: tenant, scope })
    .setProtectedHeader({ alg: "ES256", kid: "development" })
    .setIssuer("https://platform.example.com")
    .setAudience("platform")
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime("15m")
    .sign(privateKey);
  return answer(200, { token });
});

server.listen(Number(process.env.PORT ?? 4000), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
