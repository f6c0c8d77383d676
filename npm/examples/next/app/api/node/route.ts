import { caller } from "countersign/next";

export async function POST(): Promise<Response> {
  const node = await caller();
  return Response.json({ node: node?.subject, type: node?.tokenType });
}
