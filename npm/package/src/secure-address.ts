const THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"];

/** Whether nobody on the way can read or change what is sent there: `https`, or where `insecureHttp` allows it plain `http` to this machine. */
export function isSecure({ protocol, hostname }: URL, insecureHttp: boolean | undefined): boolean {
  return protocol === "https:" || (protocol === "http:" && insecureHttp === true && THIS_MACHINE.includes(hostname));
}
