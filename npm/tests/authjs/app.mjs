// An app with Auth.js as its login: its people have a session that no gate reads, so its server brings tokens of the bridge to the service behind it.

import { ExpressAuth, getSession } from "@auth/express";
import { BridgeError } from "countersign/bridge";
import express from "express";

/** `provider` is where people sign in; `service` is the address of what is behind the gate. */
export function app({ provider, tokens, service }) {
  const auth = {
    trustHost: true,
    secret: "only for tests, and long enough to be one",
    providers: [{ id: "dev", name: "dev", type: "oidc", ...provider, checks: ["pkce", "state", "nonce"] }],
    callbacks: {
      // `profile` is the ID token, in the sign-in only. `token.sub` is a name that Auth.js makes up.
      jwt: ({ token, profile }) => (profile ? { ...token, person: { issuer: profile.iss, subject: profile.sub } } : token),
      session: ({ session, token }) => ({ ...session, person: token.person }),
    },
    events: { signOut: ({ token }) => tokens.signOut(token.person) },
    logger: { error: (error) => console.error(error) },
  };
  const app = express();
  app.use("/auth", ExpressAuth(auth));
  app.get("/:tenant/orders", async (request, response) => {
    const session = await getSession(request, auth);
    if (!session) return response.status(401).json({ code: "signed_out" });
    try {
      const { token } = await tokens({ person: session.person, tenant: request.params.tenant, sessionExpiresAt: new Date(session.expires), scopes: request.query.scopes?.split(" "), audience: request.query.audience });
      const answer = await fetch(`${service}/api/orders`, { headers: { authorization: `Bearer ${token}` } });
      response.status(answer.status).json(await answer.json());
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      response.status(403).json({ code: error.code });
    }
  });
  return app;
}
