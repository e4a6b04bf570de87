import "server-only";
import { TokendeskError } from "@/lib/errors";

/**
 * Slows the guessing of passwords without letting anybody lock a colleague out: a name that is under attack is
 * refused only to addresses that have themselves failed several times with it, so its owner always gets in.
 * Counted in this process; RingCX has its own lock behind it.
 */
const windowMs = 5 * 60_000;

/**
 * Failures in a window: of one name from one address, of one address, of one name from anywhere. The last counts only
 * against addresses with `strikes` failures of their own with that name: fewer are typing errors.
 */
const limits = { pair: 5, address: 50, username: 20 };
const strikes = 3;
/** Attempts that may be under way at once, of one name from one address. Those of an address count as failures. */
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

/** The failures of the window, oldest first, `limit` of them at most: more say nothing more. */
function recentFailures(key: string, limit: number, now: number): number[] {
  return (counts().failures.get(key) ?? []).filter((at) => at + windowMs > now).slice(-limit);
}

function recordFailure(key: string, limit: number, now: number): void {
  const { failures } = counts();
  const recent = recentFailures(key, limit - 1, now);
  failures.delete(key);
  if (failures.size >= maxKeys) failures.delete(failures.keys().next().value as string);
  failures.set(key, [...recent, now]);
}

function addUnderWay(key: string, change: 1 | -1): void {
  const { underWay } = counts();
  const left = (underWay.get(key) ?? 0) + change;
  if (left > 0) underWay.set(key, left);
  else underWay.delete(key);
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
  const failed = {
    pair: recentFailures(keys.pair, limits.pair, now),
    address: recentFailures(keys.address, limits.address, now),
    username: recentFailures(keys.username, limits.username, now),
  };
  const { underWay, failures } = counts();
  const full = (kind: keyof typeof limits) => failed[kind].length >= limits[kind];
  const refused =
    (full("pair") && failed.pair) ||
    (full("address") && failed.address) ||
    (full("username") && failed.pair.length >= strikes && failed.username);
  if (refused) throw tooMany((refused[0] ?? now) + windowMs - now);
  const ofPair = underWay.get(keys.pair) ?? 0;
  const ofAddress = underWay.get(keys.address) ?? 0;
  if (ofPair >= maxUnderWay || failed.address.length + ofAddress >= limits.address) throw tooMany(5_000);

  addUnderWay(keys.pair, 1);
  addUnderWay(keys.address, 1);
  return (verdict) => {
    addUnderWay(keys.pair, -1);
    addUnderWay(keys.address, -1);
    if (verdict === "accepted") failures.delete(keys.pair);
    if (verdict !== "refused") return;
    for (const kind of ["pair", "address", "username"] as const) recordFailure(keys[kind], limits[kind], Date.now());
  };
}

function tooMany(waitMs: number): TokendeskError {
  return new TokendeskError(
    "rate_limited",
    "Too many failed sign-ins. Wait before you try again; nothing was sent to RingCX.",
    { retryAfter: waitMs / 1000 },
  );
}
