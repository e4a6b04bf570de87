import "server-only";
import { TokendeskError } from "@/lib/errors";

/**
 * Slows the guessing of passwords without letting anybody lock a colleague out: a name that is under attack is
 * refused only to addresses that have themselves failed with it, so its owner, elsewhere, always gets in.
 * Counted in this process; RingCX has its own lock behind it.
 */
const windowMs = 5 * 60_000;
/** Failures in a window: of one name from one address, of one address, of one name from anywhere. */
const limits = { pair: 5, address: 50, username: 20 };
/** Attempts of one name from one address that may be under way at once. */
const maxUnderWay = 20;
const maxKeys = 20_000;

type Counts = { failures: Map<string, number[]>; underWay: Map<string, number> };
const slot = Symbol.for("tokendesk.throttle");
type Slot = { [slot]?: Counts };

function counts(): Counts {
  const holder = globalThis as Slot;
  holder[slot] ??= { failures: new Map(), underWay: new Map() };
  return holder[slot];
}

function recentFailures(key: string, now: number): number[] {
  return (counts().failures.get(key) ?? []).filter((at) => at + windowMs > now);
}

function recordFailure(key: string, now: number): void {
  const { failures } = counts();
  const recent = recentFailures(key, now);
  failures.delete(key);
  if (failures.size >= maxKeys) failures.delete(failures.keys().next().value as string);
  failures.set(key, [...recent, now]);
}

/** What came of an attempt. `no_verdict`: RingCX did not say, nothing was learned, nothing is counted. */
export type Verdict = "accepted" | "refused" | "no_verdict";

/**
 * Lets an attempt pass, or not. The function that it returns takes the verdict.
 * @throws {TokendeskError} `rate_limited` with the seconds to wait
 */
export function admitAttempt(address: string, username: string): (verdict: Verdict) => void {
  const now = Date.now();
  const name = username.toLowerCase();
  const keys = { pair: `p ${address} ${name}`, address: `a ${address}`, username: `u ${name}` };
  const pair = recentFailures(keys.pair, now);
  const fromAddress = recentFailures(keys.address, now);
  const ofName = recentFailures(keys.username, now);
  const full =
    (pair.length >= limits.pair && pair) ||
    (fromAddress.length >= limits.address && fromAddress) ||
    (ofName.length >= limits.username && pair.length > 0 && ofName);
  const { underWay, failures } = counts();
  const others = underWay.get(keys.pair) ?? 0;
  if (full || others >= maxUnderWay) {
    const freeAt = full ? (full[0] ?? now) + windowMs : now + 5_000;
    throw new TokendeskError(
      "rate_limited",
      "Too many failed sign-ins. Wait before you try again; nothing was sent to RingCX.",
      {
        retryAfter: (freeAt - now) / 1000,
      },
    );
  }
  underWay.set(keys.pair, others + 1);
  return (verdict) => {
    const left = (underWay.get(keys.pair) ?? 1) - 1;
    if (left > 0) underWay.set(keys.pair, left);
    else underWay.delete(keys.pair);
    if (verdict === "refused") for (const key of Object.values(keys)) recordFailure(key, Date.now());
    if (verdict === "accepted") failures.delete(keys.pair);
  };
}
