import { wallMs } from "./clock.js";
import { Gate } from "./gate.js";
import { Generation } from "./generation.js";
import { main } from "./instance.js";
import type { Options, Platform } from "./options.js";
import type { AnyPolicy } from "./policies.js";
import { bytesOf } from "./policy-bytes.js";
import { PolicySource } from "./policy-source.js";
import { inProcess } from "./proofs.js";
import { waitForReady } from "./ready.js";
import { frameOf } from "./secrets.js";
import type { Settings } from "./settings.js";
import { cryptographyOf } from "./signatures.js";
import { ofDocuments } from "./stored.js";
import { Watch } from "./watch.js";
import { SHA256 } from "./wit.js";

/**
 * Opens a policy: an object, JSON, the URL of JSON, or a source of signed policies. It fetches no documents before a check, {@link Gate.ready} or
 * {@link Gate.preload} needs them.
 * @throws CountersignError with every problem of the policy.
 */
export type CreateGate = (policy: AnyPolicy | PolicySource, options?: Options) => Promise<Gate>;

export function creator(platform: Platform): CreateGate {
  return (policy, options = {}) => {
    const gate = create(platform, policy, options);
    // A caller may await it later: an error until then must not end the process as an unhandled rejection.
    gate.catch(() => {});
    return gate;
  };
}

async function create({ module, native, fetchInit, shared }: Platform, policy: AnyPolicy | PolicySource, options: Options): Promise<Gate> {
  const compiled = options.module ?? (await module());
  const isWatched = options.onDecision !== undefined || options.onDocument !== undefined;
  const settings: Settings = {
    // Looked up at each call, because frameworks replace it.
    fetch: options.fetch ?? ((uri, init) => fetch(uri, init)),
    fetchInit,
    shared,
    inline: options.refresh === "inline",
    now: options.now ?? Date.now,
    module: compiled,
    cryptography: await cryptographyOf(options.signatures, native),
    secrets: frameOf(options.secrets ?? {}),
    proofs: options.proofs ?? inProcess,
    watch: isWatched ? new Watch(options) : undefined,
    moduleDigest: options.module ? undefined : SHA256,
  };
  const documents = ofDocuments(options.documents ?? []);
  await main.start(compiled);
  const source = policy instanceof PolicySource ? policy : undefined;
  const host = { fetch: settings.fetch, fetchInit, nowMs: () => wallMs(settings.now), shared, timers: shared && !settings.inline };
  const written = source ? await source.open(host) : (policy as AnyPolicy);
  const generation = new Generation(await bytesOf(written, settings), settings);
  await generation.adopt(documents);
  const gate = new Gate(generation, settings, options, source);
  if (options.shadow) await gate.reloadShadow(options.shadow);
  if (options.readyMs) await waitForReady(gate, options.readyMs);
  return gate;
}
