/** Exchanges the signed-in user for a token of the platform's issuer. */
export async function exchange(subject: string, tenant: string): Promise<string> {
  const platform = process.env.PLATFORM_URL ?? "http://127.0.0.1:4000";
  const response = await fetch(`${platform}/exchange`, {
    method: "POST",
    headers: { authorization: `Secret ${process.env.PLATFORM_SECRET}`, "content-type": "application/json" },
    body: JSON.stringify({ subject, tenant }),
    cache: "no-store",
  });
  if (!response.ok) throw new Error(`the platform answered ${response.status}`);
  const { token } = await response.json();
  return token;
}
