"use client";

import { useState } from "react";

/** Signs in with NextAuth, exchanges the session, and goes to the dashboard. */
export function SignIn() {
  const [problem, setProblem] = useState("");

  async function signIn(form: FormData) {
    const { csrfToken } = await (await fetch("/api/auth/csrf")).json();
    const body = new URLSearchParams({ csrfToken, json: "true" });
    for (const field of ["name", "tenant"]) body.set(field, String(form.get(field)));
    await fetch("/api/auth/callback/credentials", { method: "POST", body });
    const exchanged = await fetch("/api/token", { method: "POST" });
    if (!exchanged.ok) return setProblem("Sign-in failed.");
    const { token } = await exchanged.json();
    // An API call with the token.
    await fetch("/api/assets", { headers: { authorization: `Bearer ${token}` } });
    location.href = `/${form.get("tenant")}/dashboard`;
  }

  return (
    <form action={signIn}>
      <label>
        Name <input name="name" required />
      </label>
      <label>
        Tenant <input name="tenant" required />
      </label>
      <button>Sign in</button>
      <p role="alert">{problem}</p>
    </form>
  );
}
