import { Platform, type SecretLedger, type Settings } from "./platform.ts";
import { RingexOAuth } from "./ringex.ts";
import { Sessions } from "./sessions.ts";

/** What the operations work on. A reset replaces it as a whole; only the ledger of secrets lives on. */
export type State = {
  readonly settings: Settings;
  readonly platform: Platform;
  readonly sessions: Sessions;
  readonly ringex: RingexOAuth;
};

/** The state at the start. `now` is the sandbox's clock in milliseconds. */
export function seededState(settings: Settings, seed: string, ledger: SecretLedger, now: () => number): State {
  const platform = new Platform(seed, ledger, now);
  return {
    settings,
    platform,
    sessions: new Sessions(platform, settings, ledger, now),
    ringex: new RingexOAuth(platform.users, ledger, now),
  };
}
