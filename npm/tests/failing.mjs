/**
 * Makes one call of the module trap, because the sealed module is not known to trap. Call it before the module starts.
 * The test writes the name of the function that fails next to `next`, and how many calls of it pass before to `skip`.
 */
export function failing() {
  const fail = { next: undefined, skip: 0 };
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
      if (name !== fail.next || fail.skip-- > 0) return what(...values);
      fail.skip = 0;
      fail.next = undefined;
      throw new WebAssembly.RuntimeError("unreachable");
    };
  }
  return fail;
}
