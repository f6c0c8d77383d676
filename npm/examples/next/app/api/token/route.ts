import { getServerSession } from "next-auth";
import { NextResponse } from "next/server";
import { auth } from "../../../lib/auth";
import { exchange } from "../../../lib/platform";

/** Exchanges the session for a token: as a cookie for pages, and as JSON for API calls. */
export async function POST(): Promise<Response> {
  const session = await getServerSession(auth);
  const { name, email: tenant } = session?.user ?? {};
  if (!name || !tenant) return NextResponse.json({ code: "session_missing" }, { status: 401 });
  const token = await exchange(name, tenant);
  const response = NextResponse.json({ token }, { headers: { "cache-control": "no-store" } });
  response.cookies.set("platform_session", token, { httpOnly: true, sameSite: "lax", path: "/", maxAge: 900 });
  return response;
}
