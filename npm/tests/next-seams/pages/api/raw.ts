import type { NextApiRequest, NextApiResponse } from "next";

export default function raw({ headers, rawHeaders }: NextApiRequest, response: NextApiResponse): void {
  response.json({ subject: headers["x-auth-subject"] ?? null, variant: headers["x_auth_subject"] ?? null, raw: rawHeaders.includes("eve") });
}
