import { openChild } from "../child.mjs";

export const open = (signatures) => openChild("Deno", "@deno/*/deno", ["run", "--allow-all"], signatures);
