import { openChild } from "../child.mjs";

export const open = () => openChild("Bun", "@oven/*/bin/bun");
