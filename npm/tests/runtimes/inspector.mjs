// The inspector in Chromium: the page in dist/.

import { open as openPage } from "../inspector/page.mjs";
import { run } from "../run.mjs";
import { corpus } from "../inspector/corpus.mjs";
import { look } from "../inspector/look.mjs";
import { making } from "../inspector/making.mjs";
import { parts } from "../inspector/parts.mjs";
import { paste } from "../inspector/paste.mjs";
import { senders } from "../inspector/senders.mjs";
import { hostile } from "../inspector/hostile.mjs";
import { use } from "../inspector/use.mjs";

export async function open() {
  const inspector = await openPage();
  return {
    name: `the inspector in ${inspector.browser}`,
    play: () => run({ ...use(inspector), ...look(inspector), ...paste(inspector), ...parts, ...making(inspector), ...senders(inspector), ...corpus(inspector), ...hostile(inspector) }),
    close: () => inspector.close(),
  };
}
