// What is bundled for a runtime: the package as this runtime's entry gives it, the suite and the host.

import * as library from "countersign";
import { Generation } from "countersign-inside/generation.js";
import { strings } from "countersign-inside/request.js";
import { openHost } from "./host.mjs";
import { run } from "./run.mjs";
import { suite } from "./suite.mjs";

export const play = (shared) => run(suite(library, { shared }));

let host;
export const answer = async (command) => (await (host ??= openHost(library, { Generation, strings })))(command);
