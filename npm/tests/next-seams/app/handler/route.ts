import { said } from "../../lib/said";

const handler = async (request: Request) => new Response(`${await said({ request })} ${await said({ path: "/docs/handler" })} ${await said({ path: "/docs/other" })}`);

export { handler as GET, handler as POST };
