import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Ended, isLimitExceeded, LimitExceeded, type Priority, RateLimiter } from "@/lib/ringcx/limiter";

const minute = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

/** The largest number of arrivals in any half-open window of a minute. */
function busiestMinute(arrivals: number[]): number {
  const sorted = [...arrivals].sort((a, b) => a - b);
  let first = 0;
  let most = 0;
  sorted.forEach((at, last) => {
    while ((sorted[first] ?? 0) <= at - minute) first += 1;
    most = Math.max(most, last - first + 1);
  });
  return most;
}

/** Takes a token, or tells how long to wait. */
async function attempt(limiter: RateLimiter, maxWaitMs = 0, priority: Priority = "interactive", key = "k") {
  return limiter.take(key, priority, maxWaitMs).catch((error: unknown) => {
    if (error instanceof LimitExceeded) return error;
    throw error;
  });
}

const request = fc.record({
  after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 40_000 })),
  duration: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 20_000 })),
  arrives: fc.double({ min: 0, max: 1, noNaN: true }),
  patience: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10_000 }), fc.constant(600_000)),
  priority: fc.constantFrom<Priority>("incident", "interactive", "background"),
});

describe("the budget", () => {
  test("no minute at the server ever sees more than the limit, wherever a request arrives between send and end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(request, { minLength: 1, maxLength: 60 }),
        async (limit, schedule) => {
          const limiter = new RateLimiter(limit);
          const arrivals: number[] = [];
          const callers = schedule.map(async ({ duration, arrives, patience, priority }, index) => {
            const start = schedule.slice(0, index + 1).reduce((sum, { after }) => sum + after, 0);
            await new Promise((resolve) => setTimeout(resolve, start));
            const ended = await attempt(limiter, patience, priority);
            if (ended instanceof LimitExceeded) return;
            arrivals.push(Date.now() + Math.floor(duration * arrives));
            await new Promise((resolve) => setTimeout(resolve, duration));
            ended();
          });
          await vi.runAllTimersAsync();
          await Promise.all(callers);
          expect(busiestMinute(arrivals)).toBeLessThanOrEqual(limit);
          expect(arrivals.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a patient caller is always served in the end", async () => {
    const limiter = new RateLimiter(3);
    let served = 0;
    const callers = Array.from({ length: 30 }, async () => {
      const ended = await limiter.take("k", "interactive", 60 * minute);
      served += 1;
      setTimeout(ended, 200);
    });
    await vi.runAllTimersAsync();
    await Promise.all(callers);
    expect(served).toBe(30);
  });

  test.each([10, 120])("steady demand uses at least 95 % of a limit of %i", async (limit) => {
    const limiter = new RateLimiter(limit);
    const minutes = 10;
    const started = Date.now();
    let sent = 0;
    const worker = async () => {
      while (Date.now() - started < minutes * minute) {
        const ended = await limiter.take("k", "interactive", 10 * minute);
        if (Date.now() - started < minutes * minute) sent += 1;
        await new Promise((resolve) => setTimeout(resolve, 100));
        ended();
      }
    };
    const workers = Array.from({ length: 40 }, worker);
    await vi.runAllTimersAsync();
    await Promise.all(workers);
    expect(sent).toBeGreaterThanOrEqual(0.95 * limit * minutes);
    expect(sent).toBeLessThanOrEqual(limit * minutes);
  });

  test("one connection's use takes nothing from another's", async () => {
    const limiter = new RateLimiter(1);
    expect(await attempt(limiter, 0, "interactive", "one")).toBeTypeOf("function");
    expect(await attempt(limiter, 0, "interactive", "other")).toBeTypeOf("function");
    expect(await attempt(limiter, 0, "interactive", "one")).toBeInstanceOf(LimitExceeded);
  });

  test("a request that is still under way keeps its token, however long it takes", async () => {
    const limiter = new RateLimiter(1);
    const ended = await limiter.take("k", "interactive", 0);
    await vi.advanceTimersByTimeAsync(10 * minute);
    expect(await attempt(limiter)).toBeInstanceOf(LimitExceeded);
    ended();
    await vi.advanceTimersByTimeAsync(minute - 1);
    expect(await attempt(limiter)).toBeInstanceOf(LimitExceeded);
    await vi.advanceTimersByTimeAsync(1);
    expect(await attempt(limiter)).toBeTypeOf("function");
  });

  test("telling the end twice gives back one token only", async () => {
    const limiter = new RateLimiter(2);
    const ended = await limiter.take("k", "interactive", 0);
    ended();
    ended();
    await limiter.take("k", "interactive", 0);
    expect(await attempt(limiter)).toBeInstanceOf(LimitExceeded);
    await vi.advanceTimersByTimeAsync(minute);
    expect(await attempt(limiter)).toBeTypeOf("function");
    expect(await attempt(limiter)).toBeInstanceOf(LimitExceeded);
  });
});

test("what another process spent counts until its minute is over", async () => {
  const before = new RateLimiter(3);
  const end = (await attempt(before)) as () => void;
  await attempt(before);
  vi.advanceTimersByTime(1_000);
  end();
  vi.advanceTimersByTime(1_000);
  const [first, second] = [Date.now() - 1_000, Date.now()];
  // The one that is under way may end as late as now.
  expect(before.spent("k")).toEqual([first, second]);
  const after = new RateLimiter(3);
  after.charge("k", before.spent("k"));
  ((await attempt(after)) as () => void)();
  expect(await attempt(after)).toMatchObject({ retryAfterMs: minute - 1_000 });
  vi.advanceTimersByTime(minute - 1_000);
  expect(await attempt(after)).toBeTypeOf("function");
  expect(await attempt(after)).toMatchObject({ retryAfterMs: 1_000 });
});

describe("waiting", () => {
  test("incident work goes first, then interactive, then background, each in its own order of arrival", async () => {
    const limiter = new RateLimiter(1);
    (await limiter.take("k", "interactive", 0))();
    const served: string[] = [];
    const queue: [Priority, string][] = [
      ["background", "b1"],
      ["interactive", "i1"],
      ["incident", "x1"],
      ["background", "b2"],
      ["incident", "x2"],
      ["interactive", "i2"],
    ];
    const callers = queue.map(async ([priority, name]) => {
      const ended = await limiter.take("k", priority, 100 * minute);
      served.push(name);
      ended();
    });
    await vi.runAllTimersAsync();
    await Promise.all(callers);
    expect(served).toEqual(["x1", "x2", "i1", "i2", "b1", "b2"]);
  });

  test("a newcomer does not overtake those of its own rank", async () => {
    const limiter = new RateLimiter(1);
    (await limiter.take("k", "interactive", 0))();
    const served: string[] = [];
    const first = limiter.take("k", "interactive", 3 * minute).then((ended) => {
      served.push("first");
      ended();
    });
    await vi.advanceTimersByTimeAsync(minute - 1);
    const second = limiter.take("k", "interactive", 3 * minute).then((ended) => {
      served.push("second");
      ended();
    });
    await vi.runAllTimersAsync();
    await Promise.all([first, second]);
    expect(served).toEqual(["first", "second"]);
  });

  test("a wait that is known to be too long is refused at once, with the time that it would have taken", async () => {
    const limiter = new RateLimiter(1);
    (await limiter.take("k", "interactive", 0))();
    await vi.advanceTimersByTimeAsync(10_000);
    const before = Date.now();
    const refused = await attempt(limiter, 49_999);
    expect(Date.now()).toBe(before);
    expect(refused).toBeInstanceOf(LimitExceeded);
    expect((refused as LimitExceeded).retryAfterMs).toBe(50_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("those who wait are counted into the wait of the next", async () => {
    const limiter = new RateLimiter(2);
    (await limiter.take("k", "interactive", 0))();
    await vi.advanceTimersByTimeAsync(20_000);
    (await limiter.take("k", "interactive", 0))();
    const waiting = limiter.take("k", "interactive", 10 * minute);
    expect(((await attempt(limiter, 0)) as LimitExceeded).retryAfterMs).toBe(60_000);
    await vi.runAllTimersAsync();
    (await waiting)();
  });

  test("a wait that turns out too long is refused when the patience ends, and leaves no trace", async () => {
    const limiter = new RateLimiter(1);
    const ended = await limiter.take("k", "interactive", 0);
    const waiting = attempt(limiter, minute);
    await vi.advanceTimersByTimeAsync(minute - 1);
    let settled = false;
    void waiting.then(() => {
      settled = true;
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(settled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await waiting).toBeInstanceOf(LimitExceeded);
    ended();
    await vi.advanceTimersByTimeAsync(minute);
    expect(await attempt(limiter)).toBeTypeOf("function");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a pause", () => {
  test("holds everybody on that connection back, and nobody else", async () => {
    const limiter = new RateLimiter(5);
    limiter.pause("k", 7_000);
    const refused = await attempt(limiter, 6_999);
    expect((refused as LimitExceeded).retryAfterMs).toBe(7_000);
    expect(await attempt(limiter, 0, "interactive", "other")).toBeTypeOf("function");
    let served = -1;
    const waiting = limiter.take("k", "interactive", 8_000).then(() => {
      served = Date.now();
    });
    const due = Date.now() + 7_000;
    await vi.runAllTimersAsync();
    await waiting;
    expect(served).toBe(due);
  });

  test("is not cut short by a shorter one that comes later", async () => {
    const limiter = new RateLimiter(5);
    limiter.pause("k", 7_000);
    limiter.pause("k", 10);
    expect(((await attempt(limiter, 0)) as LimitExceeded).retryAfterMs).toBe(7_000);
  });

  test("ends for those who wait when it is over, although a request of this minute is counted still", async () => {
    const limiter = new RateLimiter(120);
    (await limiter.take("k", "interactive", 0))();
    limiter.pause("k", 1_000);
    const due = Date.now() + 1_000;
    let served = -1;
    const waiting = attempt(limiter, 9_000).then((granted) => {
      expect(granted).toBeTypeOf("function");
      served = Date.now();
    });
    await vi.runAllTimersAsync();
    await waiting;
    expect(served).toBe(due);
  });

  test("holds back those who were waiting already", async () => {
    const limiter = new RateLimiter(1);
    (await limiter.take("k", "interactive", 0))();
    const due = Date.now() + 90_000;
    let served = -1;
    const waiting = limiter.take("k", "interactive", 3 * minute).then(() => {
      served = Date.now();
    });
    limiter.pause("k", 90_000);
    await vi.runAllTimersAsync();
    await waiting;
    expect(served).toBe(due);
  });
});

describe("after a refusal", () => {
  /** Calls that wait for their turn; `sent` fills with their ways to end. */
  function waiting(limiter: RateLimiter, count: number) {
    const sent: Ended[] = [];
    for (let n = 0; n < count; n += 1)
      void limiter.take("k", "incident", 90 * minute).then((ended) => sent.push(ended));
    return sent;
  }

  test("one request goes out alone, and the others when it is answered", async () => {
    const limiter = new RateLimiter(120);
    limiter.pause("k", 1_000);
    const sent = waiting(limiter, 12);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toHaveLength(1);
    sent[0]?.(429);
    expect(limiter.pause("k", 1_000)).toBe(1_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toHaveLength(2);
    sent[1]?.(200);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toHaveLength(12);
  });

  test("a request that gets no answer lets the next one try, and one that RingCX keeps holds nobody up", async () => {
    const limiter = new RateLimiter(120);
    limiter.pause("k", 1_000);
    const sent = waiting(limiter, 4);
    await vi.advanceTimersByTimeAsync(1_000);
    sent[0]?.(null);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(sent).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toHaveLength(3);
    sent[1]?.(401);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toHaveLength(4);
  });

  test("what was on its way when RingCX refused says nothing of now", async () => {
    const limiter = new RateLimiter(120);
    const before = await limiter.take("k", "incident", 0);
    limiter.pause("k", 1_000);
    const sent = waiting(limiter, 3);
    before(200);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toHaveLength(1);
  });

  test("pauses of which RingCX does not say how long grow to a minute and no further, and begin anew", async () => {
    const limiter = new RateLimiter(120);
    const refuse = async () => {
      const ended = await limiter.take("k", "incident", 90 * minute);
      ended(429);
      // Those that were sent with it are refused, too, and count as one.
      limiter.pause("k");
      return limiter.pause("k");
    };
    vi.spyOn(Math, "random").mockReturnValue(1);
    const pauses: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      const next = refuse();
      await vi.advanceTimersByTimeAsync(minute);
      pauses.push(await next);
    }
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, ...Array<number>(7).fill(minute)]);
    const ended = await limiter.take("k", "incident", 90 * minute);
    ended(200);
    expect(await refuse()).toBe(2_000);
    // What RingCX asks for is kept, up to what it is believed.
    expect(limiter.pause("k", 100_000)).toBe(100_000);
  });
});

test("a refusal is recognised whichever bundle made the limiter", async () => {
  vi.resetModules();
  const other = await import("@/lib/ringcx/limiter");
  expect(new other.LimitExceeded(5)).not.toBeInstanceOf(LimitExceeded);
  expect(isLimitExceeded(new other.LimitExceeded(5))).toBe(true);
  expect(isLimitExceeded(new Error("no"))).toBe(false);
});
