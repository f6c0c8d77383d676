import { said } from "../../lib/said";

export const GET = async (request: Request) => new Response(`${await said({ request })} ${await said({ path: "/docs/open" })} ${await said()}`);
