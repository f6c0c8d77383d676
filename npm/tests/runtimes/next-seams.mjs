import { openSeams } from "../next-seams.mjs";

export const open = openSeams;
