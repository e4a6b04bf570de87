import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { admitAttempt, type Verdict } from "@/lib/auth/throttle";
import type { TokendeskError } from "@/lib/errors";
import { freshProcess } from "@/test/process";

beforeEach(() => {
  freshProcess();
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

/** The verdict's function, or the error. */
function attempt(address: string, username: string) {
  try {
    return { judge: admitAttempt(address, username), error: null };
  } catch (error) {
    return { judge: null, error: error as TokendeskError };
  }
}

function guess(address: string, username: string, verdict: Verdict = "refused"): TokendeskError | null {
  const { judge, error } = attempt(address, username);
  judge?.(verdict);
  return error;
}

test("a name from one address is refused after five failures, and passes again after the time that was told", () => {
  for (let nth = 0; nth < 5; nth += 1) expect(guess("1.1.1.1", "ana@example.com")).toBeNull();
  const refused = guess("1.1.1.1", "ana@example.com");
  expect(refused).toMatchObject({ code: "rate_limited", retryAfter: 300 });
  vi.advanceTimersByTime(299_000);
  expect(guess("1.1.1.1", "ana@example.com")).toMatchObject({ code: "rate_limited", retryAfter: 1 });
  vi.advanceTimersByTime(1_000);
  expect(guess("1.1.1.1", "ana@example.com")).toBeNull();
});

test("the time that is told is enough, also when guesses that ran together failed one after the other", () => {
  const judges = Array.from({ length: 12 }, () => attempt("1.1.1.1", "ana@example.com").judge).filter(
    (j) => j !== null,
  );
  for (const judge of judges) {
    judge("refused");
    vi.advanceTimersByTime(10_000);
  }
  const refused = guess("1.1.1.1", "ana@example.com");
  expect(refused?.code).toBe("rate_limited");
  vi.advanceTimersByTime((refused?.retryAfter ?? 0) * 1000);
  expect(guess("1.1.1.1", "ana@example.com")).toBeNull();
});

test("the case of a name does not give more guesses", () => {
  for (const name of ["ana@example.com", "ANA@example.com", "Ana@Example.com", "aNa@example.com", "anA@example.com"]) {
    guess("1.1.1.1", name);
  }
  expect(guess("1.1.1.1", "ana@EXAMPLE.com")?.code).toBe("rate_limited");
});

test("the owner of a name gets in from elsewhere while an attacker hammers on it", () => {
  for (let nth = 0; nth < 500; nth += 1) guess("6.6.6.6", "ana@example.com");
  for (let nth = 0; nth < 200; nth += 1) guess(`6.6.7.${nth}`, "ana@example.com");
  expect(guess("1.1.1.1", "ana@example.com", "accepted")).toBeNull();
  expect(guess("6.6.6.6", "ana@example.com")?.code).toBe("rate_limited");
});

test("an owner who mistypes once while an attacker hammers can try again", () => {
  for (let nth = 0; nth < 200; nth += 1) guess(`6.6.7.${nth}`, "ana@example.com");
  expect(guess("1.1.1.1", "ana@example.com", "refused")).toBeNull();
  expect(guess("1.1.1.1", "ana@example.com", "accepted")).toBeNull();
});

test("many names from one address are refused after fifty failures, without touching other addresses", () => {
  for (let nth = 0; nth < 50; nth += 1) expect(guess("6.6.6.6", `user${nth}@example.com`)).toBeNull();
  expect(guess("6.6.6.6", "another@example.com")?.code).toBe("rate_limited");
  expect(guess("1.1.1.1", "user1@example.com")).toBeNull();
});

test("guesses of one name that run at the same time do not slip through together", () => {
  const admitted = Array.from({ length: 300 }, () => attempt("6.6.6.6", "ana@example.com")).filter(
    ({ judge }) => judge,
  );
  expect(admitted.length).toBeLessThanOrEqual(20);
  for (const { judge } of admitted) judge?.("refused");
  expect(guess("6.6.6.6", "ana@example.com")?.code).toBe("rate_limited");
});

test("guesses of many names from one address that run at the same time are limited as those that run in turn", () => {
  const attempts = Array.from({ length: 500 }, (_, nth) => attempt("6.6.6.6", `user${nth}@example.com`));
  expect(attempts.filter(({ judge }) => judge !== null).length).toBeLessThanOrEqual(100);
});

test("an attempt that RingCX gave no verdict on counts for nothing", () => {
  for (let nth = 0; nth < 100; nth += 1) expect(guess("1.1.1.1", "ana@example.com", "no_verdict")).toBeNull();
});

test("a success clears the failures of that name from that address", () => {
  for (let round = 0; round < 4; round += 1) {
    for (let nth = 0; nth < 4; nth += 1) expect(guess("1.1.1.1", "ana@example.com")).toBeNull();
    expect(guess("1.1.1.1", "ana@example.com", "accepted")).toBeNull();
  }
});

test("what is remembered is bounded, however many names and addresses come", () => {
  for (let nth = 0; nth < 25_000; nth += 1) guess(`10.${nth >> 16}.${(nth >> 8) & 255}.${nth & 255}`, `u${nth}@x.y`);
  const { failures, underWay } = (globalThis as Record<symbol, unknown>)[Symbol.for("tokendesk.throttle")] as {
    failures: Map<string, unknown>;
    underWay: Map<string, unknown>;
  };
  expect(failures.size).toBeLessThanOrEqual(20_000);
  expect(underWay.size).toBe(0);
});
