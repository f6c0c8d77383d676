import { caller } from "countersign/next";

export async function GET(request: Request): Promise<Response> {
  const who = await caller({ request });
  return Response.json({ caller: who, subject: request.headers.get("x-auth-subject") });
}
