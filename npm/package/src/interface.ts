import { CountersignError } from "./error.js";
import { NAME, VERSION } from "./wit.js";

/**
 * The glue calls exports by name and reads structures from the memory, both of one interface version. An application can give it another file: by the option
 * `module`, or with a bundler that copied countersign.wasm from an earlier version of this package.
 * @throws CountersignError if the module has another interface version than this package.
 */
export function requireInterface(module: WebAssembly.Module): void {
  const versions = interfaceVersions(module);
  if (versions.includes(VERSION)) return;
  const message = versions.length > 0 ? `the file has interface ${NAME}@${versions[0]}, this package needs ${NAME}@${VERSION}` : "it is not the compiled file countersign.wasm";
  throw CountersignError.of("module", "interface_unsupported", message);
}

/** Every version of the file exports `check`, with the interface version in the name. */
function interfaceVersions(module: WebAssembly.Module): string[] {
  const [before, after] = [`${NAME}/gate@`, "#check"];
  try {
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    return names.filter((name) => name.startsWith(before) && name.endsWith(after)).map((name) => name.slice(before.length, -after.length));
  } catch {
    return []; // not a compiled module, for example bytes
  }
}
