import "server-only";

/**
 * The vendor allows so many admin requests in 60 seconds (ringcx/README, "Errors and limits") and does not say
 * how it counts. This bucket is right for every way of counting: a token taken for a request comes back one
 * window after that request *ended*. RingCX received the request before it ended, so no 60 seconds, wherever
 * they begin, ever see more than `limit` requests from us (docs/decisions/0002-rate-limit.md).
 */

export type Priority = "incident" | "interactive" | "background";

const order: Record<Priority, number> = { incident: 0, interactive: 1, background: 2 };

/** The wait would be longer than the caller can stand. `retryAfterMs`: when a token should be free. */
export class LimitExceeded extends Error {
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super("The upstream rate limit leaves no room for this call now");
    this.name = "LimitExceeded";
    this.retryAfterMs = retryAfterMs;
  }
}

/** True also for one that crossed a bundle boundary: the bundles share the buckets, and each has its own class. */
export function isLimitExceeded(error: unknown): error is LimitExceeded {
  return error instanceof LimitExceeded || (error instanceof Error && error.name === "LimitExceeded");
}

export type Ended = (status?: number | null) => void;

type Waiter = {
  rank: number;
  grant: (trial: boolean) => void;
  refuse: (error: LimitExceeded) => void;
  timer: NodeJS.Timeout;
};

type Bucket = {
  inFlight: number;
  /** Times at which requests of the last window ended, oldest first. */
  ended: number[];
  waiters: Waiter[];
  pausedUntil: number;
  /** Refusals since RingCX let something through. While there are any, one request goes out at a time. */
  refusals: number;
  /** Until then the answer to that one is waited for. */
  trialUntil: number;
  wake: NodeJS.Timeout | null;
};

const firstPauseMs = 2_000;
const firstAskedPauseMs = 250;
/** A request that RingCX keeps for so long is no reason to keep the others. */
const trialMs = 5_000;

/** One bucket per connection, in this process. */
export class RateLimiter {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: number, windowMs = 60_000) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /**
   * Takes a token, waiting up to `maxWaitMs` for it. Resolves to the function that tells that the request ended, and with
   * which status; null: no answer came. A 429 is told to {@link pause} as well.
   * @throws {LimitExceeded} at once when the wait is known to be too long, else when `maxWaitMs` have passed
   */
  async take(key: string, priority: Priority, maxWaitMs: number): Promise<Ended> {
    const bucket = this.#bucket(key);
    const rank = order[priority];
    const now = Date.now();
    this.#forget(bucket, now);
    let trial: boolean;
    const behindOthers = bucket.waiters.some((waiter) => waiter.rank <= rank);
    if (behindOthers || !this.#free(bucket, now)) {
      const ahead = bucket.waiters.filter((waiter) => waiter.rank <= rank).length;
      const wait = this.#waitFor(bucket, ahead, now);
      if (wait > maxWaitMs) throw new LimitExceeded(wait);
      trial = await new Promise<boolean>((grant, refuse) => {
        const waiter: Waiter = {
          rank,
          grant,
          refuse,
          timer: setTimeout(() => {
            bucket.waiters.splice(bucket.waiters.indexOf(waiter), 1);
            const now = Date.now();
            refuse(new LimitExceeded(Math.max(this.#waitFor(bucket, 0, now), bucket.trialUntil - now)));
          }, maxWaitMs),
        };
        const place = bucket.waiters.findIndex((other) => other.rank > rank);
        bucket.waiters.splice(place === -1 ? bucket.waiters.length : place, 0, waiter);
        this.#schedule(key, bucket);
      });
    } else trial = this.#send(bucket, now);

    let ended = false;
    return (status = null) => {
      if (ended) return;
      ended = true;
      bucket.inFlight -= 1;
      bucket.ended.push(Date.now());
      if (trial && status !== 429) {
        bucket.trialUntil = 0;
        if (status !== null) bucket.refusals = 0;
      }
      this.#schedule(key, bucket);
    };
  }

  /**
   * A lower bound, in ms, of the time after which `calls` more could have gone out, behind those that wait already. A
   * budget that nobody has used yet lets its whole limit through at once.
   */
  waitFor(key: string, calls: number): number {
    const bucket = this.#bucket(key);
    const now = Date.now();
    this.#forget(bucket, now);
    const ahead = bucket.waiters.length + Math.max(1, calls) - 1;
    // What does not fit into this window comes back one window later, in the order in which it was used.
    const windows = Math.max(0, Math.ceil((ahead + 1) / this.#limit) - 1);
    return windows * this.#windowMs + this.#waitFor(bucket, ahead - windows * this.#limit, now);
  }

  /** When the requests of the last window ended, those in flight as of now, oldest first; epoch milliseconds. */
  spent(key: string): number[] {
    const bucket = this.#bucket(key);
    const now = Date.now();
    this.#forget(bucket, now);
    return [...bucket.ended, ...Array<number>(bucket.inFlight).fill(now)];
  }

  /** Requests that another process sent on this budget count from here on, too. */
  charge(key: string, ended: readonly number[]): void {
    const bucket = this.#bucket(key);
    bucket.ended = [...bucket.ended, ...ended].sort((a, b) => a - b);
    this.#schedule(key, bucket);
  }

  /**
   * RingCX said 429: nothing is sent on this connection for a while, then one request, and the others when that is
   * answered with anything else. The pause doubles with each that is refused, up to a window; half of it is left to
   * chance, so that replicas do not come back together.
   * @param askedMs RingCX's wish. It is a lower bound: a Retry-After of 0, or one from a clock that is ahead, is no leave to
   * hammer
   * @returns how long, ms
   */
  pause(key: string, askedMs?: number): number {
    const bucket = this.#bucket(key);
    const now = Date.now();
    // Those that were on their way with the first one are refused like it.
    if (bucket.pausedUntil <= now)
      bucket.refusals = now - bucket.pausedUntil > this.#windowMs ? 1 : bucket.refusals + 1;
    const first = askedMs === undefined ? firstPauseMs : firstAskedPauseMs;
    const own = Math.min(this.#windowMs, first * 2 ** (bucket.refusals - 1)) * (0.5 + Math.random() / 2);
    const ms = Math.max(askedMs ?? 0, own);
    bucket.pausedUntil = Math.max(bucket.pausedUntil, now + ms);
    bucket.trialUntil = 0;
    this.#schedule(key, bucket);
    return ms;
  }

  #bucket(key: string): Bucket {
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      this.#sweep();
      bucket = { inFlight: 0, ended: [], waiters: [], pausedUntil: 0, refusals: 0, trialUntil: 0, wake: null };
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }

  #forget(bucket: Bucket, now: number): void {
    const firstKept = bucket.ended.findIndex((at) => at + this.#windowMs > now);
    bucket.ended.splice(0, firstKept === -1 ? bucket.ended.length : firstKept);
  }

  #free(bucket: Bucket, now: number): boolean {
    return heldUntil(bucket) <= now && bucket.inFlight + bucket.ended.length < this.#limit;
  }

  /** @returns whether its answer decides what becomes of the others */
  #send(bucket: Bucket, now: number): boolean {
    bucket.inFlight += 1;
    if (bucket.refusals > 0) bucket.trialUntil = now + trialMs;
    return bucket.refusals > 0;
  }

  /** A lower bound, in ms, of the wait of a caller with `ahead` others before it. */
  #waitFor(bucket: Bucket, ahead: number, now: number): number {
    const missing = bucket.inFlight + bucket.ended.length + ahead + 1 - this.#limit;
    const freedAt = missing <= 0 ? now : (bucket.ended[missing - 1] ?? now) + this.#windowMs;
    return Math.max(0, Math.max(freedAt, bucket.pausedUntil) - now);
  }

  #schedule(key: string, bucket: Bucket): void {
    const now = Date.now();
    this.#forget(bucket, now);
    while (bucket.waiters.length > 0 && this.#free(bucket, now)) {
      const waiter = bucket.waiters.shift() as Waiter;
      clearTimeout(waiter.timer);
      waiter.grant(this.#send(bucket, now));
    }
    if (bucket.wake) clearTimeout(bucket.wake);
    bucket.wake = null;
    if (bucket.waiters.length > 0) {
      // When the pause is over, or a token is back, or the one that was let through takes too long, it is looked at again.
      // With nothing but requests in flight there is no time to wait for: their end schedules.
      const oldest = bucket.ended[0] ?? Number.NEGATIVE_INFINITY;
      const due = heldUntil(bucket) > now ? heldUntil(bucket) : oldest + this.#windowMs;
      if (due > now) bucket.wake = setTimeout(() => this.#schedule(key, bucket), due - now);
    }
  }

  /** Drops the buckets that say nothing any more. */
  #sweep(): void {
    const now = Date.now();
    for (const [key, bucket] of this.#buckets) {
      this.#forget(bucket, now);
      const idle = bucket.inFlight === 0 && bucket.ended.length === 0 && bucket.waiters.length === 0;
      if (idle && bucket.pausedUntil <= now) this.#buckets.delete(key);
    }
  }
}

function heldUntil({ pausedUntil, trialUntil }: Bucket): number {
  return Math.max(pausedUntil, trialUntil);
}
