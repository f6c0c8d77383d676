import type { NextAuthOptions } from "next-auth";
import Credentials from "next-auth/providers/credentials";

/** For the example anybody may sign in as anybody. */
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
