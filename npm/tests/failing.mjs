/**
 * Has one call of the module trap: the sealed file is not known to do so. To be called before the module starts.
 * The name of the function that shall fail next is written to `next`.
 */
export function failing() {
  const fail = { next: undefined };
  const { Instance } = WebAssembly;
  const instantiate = (module, imports) => {
    const { exports } = new Instance(module, imports);
    const calls = Object.entries(exports).map(([name, what]) => [name, typeof what === "function" ? call(name, what) : what]);
    return Object.create(Instance.prototype, { exports: { value: Object.fromEntries(calls) } });
  };
  WebAssembly.instantiate = async (module, imports) => instantiate(module, imports);
  WebAssembly.Instance = function (module, imports) {
    return instantiate(module, imports);
  };
  WebAssembly.Instance.prototype = Instance.prototype;
  function call(name, what) {
    return (...values) => {
      if (name !== fail.next) return what(...values);
      fail.next = undefined;
      throw new WebAssembly.RuntimeError("unreachable");
    };
  }
  return fail;
}
