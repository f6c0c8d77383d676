// A browser of one person: its cookies, and a sign-in with Auth.js.

export class Browser {
  #cookies = new Map();
  #app;

  constructor(app) {
    this.#app = app;
  }

  get cookies() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  cookie(name) {
    return this.#cookies.get(name);
  }

  /** A request to the app. */
  async ask(address, init = {}) {
    const response = await fetch(new URL(address, this.#app), { ...init, redirect: "manual", headers: { ...init.headers, cookie: this.cookies } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value, attributes] = /^([^=]+)=([^;]*)(.*)$/.exec(line);
      if (value === "" || /max-age=0(;|$)/i.test(attributes)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }

  async json(address) {
    const response = await this.ask(address);
    return [response.status, await response.json()];
  }

  /** Picks a person on the page of the provider. */
  async signIn(person) {
    const asked = await this.#form("/auth/signin/dev");
    const page = new URL(asked.headers.get("location"));
    const body = new URLSearchParams([...page.searchParams, ["person", person]]);
    const chosen = await fetch(`${page.origin}${page.pathname}`, { method: "POST", body, redirect: "manual", headers: { origin: page.origin } });
    return this.ask(chosen.headers.get("location"));
  }

  signOut() {
    return this.#form("/auth/signout");
  }

  /** A form of Auth.js, with its token against forged requests. */
  async #form(address) {
    const [, { csrfToken }] = await this.json("/auth/csrf");
    return this.ask(address, { method: "POST", body: new URLSearchParams({ csrfToken, callbackUrl: this.#app }) });
  }
}
