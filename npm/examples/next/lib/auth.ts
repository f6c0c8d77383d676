import type { NextAuthOptions } from "next-auth";
import Credentials from "next-auth/providers/credentials";

/** In this example anyone may sign in with any name. */
export const auth: NextAuthOptions = {
  session: { strategy: "jwt" },
  providers: [
    Credentials({
      name: "a name and a tenant",
      credentials: { name: { label: "Name" }, tenant: { label: "Tenant" } },
      authorize: async (given) => (given?.name ? { id: given.name, name: given.name, email: given.tenant } : null),
    }),
  ],
};
