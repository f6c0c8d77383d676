import { openChild } from "../child.mjs";

export const open = (signatures) => openChild("Bun", "@oven/*/bin/bun", [], signatures);
