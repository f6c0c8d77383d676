import { openNext } from "../next.mjs";

export const open = () => openNext("turbopack", "proxy");
