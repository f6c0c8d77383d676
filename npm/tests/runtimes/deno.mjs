import { openChild } from "../child.mjs";

export const open = () => openChild("Deno", "@deno/*/deno", "run", "--allow-all");
