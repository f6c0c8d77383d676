import { caller } from "countersign/next";

export async function POST(request: Request): Promise<Response> {
  const node = await caller({ request });
  return Response.json({ node: node?.subject, type: node?.tokenType });
}
