/** `http.IncomingMessage`, `http2.Http2ServerRequest`, and what frameworks derive from them. */
export interface Incoming {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: { [name: string]: string | string[] | undefined };
  readonly rawHeaders: string[];
  /** For what is known about the connection. */
  readonly socket?: object | null;
  /** In HTTP/2. */
  readonly stream?: { readonly session?: { readonly socket: object } | undefined };
}
