import "server-only";
import { pipeline, type Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { Agent, errors, request } from "undici";
import { z } from "zod";
import { env } from "@/lib/env";
import { observeUpstream } from "@/lib/metrics";
import { type FailureReason, UpstreamError } from "@/lib/ringcx/errors";
import { type Ended, isLimitExceeded, type Priority, RateLimiter } from "@/lib/ringcx/limiter";
import packageJson from "@/package.json" with { type: "json" };

/** One call of the upstream. */
export type Call<T> = {
  /** Name for errors and logs; the URL is never shown, since two of them hold secrets. */
  operation: string;
  /** Whose `host` it is, and with that the list of those that may be called. Absent: RingCX. */
  system?: "ringcx" | "legacy" | "ringex";
  /** An origin; of a legacy portal with the path before `/v1`. */
  host: string;
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path and query, already percent-encoded. */
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** What a success must look like. */
  parse: (answer: Answer) => T;
  /** `read`: may be repeated. `effect`: sent once; a lost answer is an unknown outcome. */
  kind: "read" | "effect";
  /**
   * The bucket that this call counts against; absent for calls that the vendor does not limit. `patienceMs`: how long it
   * may wait for its turn, on top of its own deadline; without it the wait is part of that deadline.
   */
  limit?: { key: string; priority: Priority; patienceMs?: number };
  maxBytes?: number;
  timeoutMs?: number;
};

export type Answer = { status: number; contentType: string; body: string };

const userAgent = `Tokendesk/${packageJson.version}`;
const maxAttempts = 3;
/** A RingCX that has let nothing through for so long is given up. */
const maxHeldMs = 15 * 60_000;
const defaultMaxBytes = 1024 * 1024;

type Shared = { limiter: RateLimiter; pooled: Agent; single: Agent };
const slot = Symbol.for("tokendesk.ringcx");
type Slot = { [slot]?: Shared };

/** Connections and budgets of this process, shared by the bundles that Next makes. */
function shared(): Shared {
  const holder = globalThis as Slot;
  holder[slot] ??= {
    limiter: new RateLimiter(env().ringcxRateLimit),
    // The deadline is the AbortSignal's; undici's own timeouts would only blur which one it was.
    pooled: new Agent({ connections: 32, headersTimeout: 0, bodyTimeout: 0, connectTimeout: 5_000 }),
    // An idle connection can die while a request is written to it. An effect gets a fresh one, so that a reset
    // says something about the request and not about the connection's age.
    single: new Agent({ connections: 32, pipelining: 0, headersTimeout: 0, bodyTimeout: 0, connectTimeout: 5_000 }),
  };
  return holder[slot];
}

/**
 * Sends a call: deadline over everything (waiting and retries included), response-size cap, no redirects, hosts
 * that are configured only, retries with backoff and jitter for reads alone.
 * @throws {UpstreamError} classified
 */
export async function send<T>(call: Call<T>): Promise<T> {
  if (!mayCall(call)) {
    throw new UpstreamError(call.operation, "terminal", "rejected", { cause: new Error("host is not configured") });
  }
  const time = timeOf(call);
  let heldSince: number | null = null;
  for (let attempt = 1; ; attempt += 1) {
    const startedAt = performance.now();
    const observe = (outcome: string) => observeUpstream(call.operation, outcome, performance.now() - startedAt);
    try {
      const answer = await sendOnce(call, time);
      observe("ok");
      return answer;
    } catch (error) {
      const failure = classify(call, error);
      observe(failure.reason);
      const isHeld = failure.upstreamStatus === 429;
      const asked = failure.retryAfterMs;
      const wait =
        call.limit && isHeld
          ? shared().limiter.pause(call.limit.key, asked)
          : Math.max(asked ?? 0, backoff(attempt, isHeld && asked === undefined ? 2_000 : 250));
      heldSince = isHeld ? (heldSince ?? Date.now()) : null;
      // What RingCX did not let through may go out later, an effect too.
      const held = heldSince !== null && time.patient && Date.now() - heldSince < maxHeldMs && call.method !== "POST";
      const again = failure.failure === "transient" && (held || (call.kind === "read" && attempt < maxAttempts));
      if (!again || wait >= time.left()) throw call.limit && isHeld ? failure.heldFor(wait) : failure;
      await delay(wait);
    }
  }
}

/** A credential of one system is never sent to another, whatever a session says. */
function mayCall({ host, system = "ringcx" }: Pick<Call<unknown>, "host" | "system">): boolean {
  const { ringcxHosts, ringcxLegacyHosts, ringex } = env();
  const hosts = { ringcx: ringcxHosts, legacy: ringcxLegacyHosts, ringex: ringex === null ? [] : [ringex.serverUrl] };
  return hosts[system].includes(host);
}

/** The time of a call. */
type Time = {
  patient: boolean;
  /** For the answer of an attempt, ms. */
  forAnswer(): number;
  /** For the turn of an attempt, ms. */
  forTurn(): number;
  /** Until nothing more is tried, ms. */
  left(): number;
  /** An attempt has been waited for. */
  spend(ms: number): void;
};

/**
 * One deadline over everything; or, for a patient call, one over the waits for its turn and one over the waits for
 * answers, so that a RingCX that hangs is given up no later than usual.
 */
function timeOf(call: Call<unknown>): Time {
  const timeoutMs = Math.min(call.timeoutMs ?? Number.POSITIVE_INFINITY, env().ringcxTimeoutMs);
  const patience = call.limit?.patienceMs;
  const until = (at: number) => Math.max(0, at - Date.now());
  const begun = Date.now();
  if (patience === undefined) {
    const left = () => until(begun + timeoutMs);
    // A quarter is left for the call itself: a wait that eats the whole deadline would be told as a timeout.
    return { patient: false, forAnswer: left, forTurn: () => left() * 0.75, left, spend: () => {} };
  }
  let spent = 0;
  const forAnswer = () => Math.max(0, timeoutMs - spent);
  const forTurn = () => until(begun + patience);
  return {
    patient: true,
    forAnswer,
    forTurn,
    left: () => (forAnswer() === 0 ? 0 : Math.max(forAnswer(), forTurn())),
    spend: (ms) => {
      spent += ms;
    },
  };
}

/** Doubles at each attempt, with half of it left to chance, so that many callers do not come back together. */
function backoff(attempt: number, firstMs: number): number {
  return firstMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
}

/** A lower bound, in ms, of the time after which `calls` more requests could have been sent on that budget. */
export function waitForCalls(key: string, calls: number): number {
  return shared().limiter.waitFor(key, calls);
}

/** When the requests of the last minute on that budget ended, epoch milliseconds. */
export function spentCalls(key: string): number[] {
  return shared().limiter.spent(key);
}

/** Takes what another process spent out of that budget. */
export function chargeCalls(key: string, ended: readonly number[]): void {
  shared().limiter.charge(key, ended);
}

async function sendOnce<T>(call: Call<T>, time: Time): Promise<T> {
  const { limiter, pooled, single } = shared();
  const ended: Ended = call.limit ? await limiter.take(call.limit.key, call.limit.priority, time.forTurn()) : () => {};
  const sentAt = Date.now();
  let status: number | null = null;
  try {
    const response = await request(`${call.host}${call.path}`, {
      dispatcher: call.kind === "effect" ? single : pooled,
      method: call.method,
      headers: { accept: "application/json, text/plain;q=0.9", "user-agent": userAgent, ...call.headers },
      body: call.body ?? null,
      signal: AbortSignal.timeout(Math.max(1, time.forAnswer())),
    });
    status = response.statusCode;
    const header = (name: string) => {
      const value = response.headers[name];
      return (Array.isArray(value) ? value[0] : value) ?? "";
    };
    const contentType = header("content-type").toLowerCase();
    const bytes = await readCapped(
      unpacked(response.body, header("content-encoding")),
      call.maxBytes ?? defaultMaxBytes,
    );
    const answer: Answer = { status: response.statusCode, contentType, body: textOf(bytes, contentType) };
    refuse(call, answer, header("retry-after"));
    return call.parse(answer);
  } finally {
    time.spend(Date.now() - sentAt);
    ended(status);
  }
}

class BodyTooLarge extends Error {}
class UnknownEncoding extends Error {}

/** Nothing is asked for, but without a word on it a gateway may answer in any (RFC 9110, 12.5.3). */
const unpackers: Record<string, () => NodeJS.ReadWriteStream & Readable> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** The body without its codings, the last of which was put on last. */
function unpacked(body: Readable, encodings: string): Readable {
  const names = encodings
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
  return names.reduceRight<Readable>((packed, name) => {
    const unpacker = Object.hasOwn(unpackers, name) ? unpackers[name]?.() : undefined;
    if (unpacker === undefined) {
      // Nobody reads it, so nobody else hears that it ends.
      body.on("error", () => {}).destroy();
      throw new UnknownEncoding();
    }
    // What goes wrong in one ends the others, and the reader of the last one hears of it.
    pipeline(packed, unpacker, () => {});
    return unpacker;
  }, body);
}

/** UTF-8, as JSON is. Where it is not, a character set that was named may be true. */
function textOf(bytes: Buffer, contentType: string): string {
  const charset = /charset="?([\w.:-]+)/.exec(contentType)?.[1] ?? "utf-8";
  for (const label of ["utf-8", charset]) {
    try {
      return new TextDecoder(label, { fatal: true }).decode(bytes);
    } catch {
      // Not that one.
    }
  }
  return new TextDecoder().decode(bytes);
}

async function readCapped(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) {
      body.destroy();
      throw new BodyTooLarge();
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** True for a page that a gateway or a firewall in front of the API made. */
function isHtml(answer: Answer): boolean {
  return answer.contentType.includes("html") || /^\s*</.test(answer.body);
}

/** Throws for every answer that is not a success. */
function refuse(call: Call<unknown>, answer: Answer, retryAfter: string): void {
  const { status } = answer;
  if (status >= 200 && status < 300) return;
  const fail = (failure: UpstreamError["failure"], reason: FailureReason) =>
    new UpstreamError(call.operation, failure, reason, {
      status,
      explained: isExplained(answer),
      ...parseRetryAfter(retryAfter),
    });
  const effect = call.kind === "effect";
  if (status === 429) throw fail("transient", "rate_limited");
  // A refusal that RingCX itself did not write says nothing of the credential or the permission.
  if (status >= 400 && status < 500 && isHtml(answer)) throw fail(effect ? "unknown" : "transient", "bad_response");
  if (status === 401) throw fail("credentials", aboutJwt(answer) ? "jwt_refused" : "unauthorized");
  if (status === 403) throw fail("terminal", "forbidden");
  if (status === 404) throw fail("terminal", "not_found");
  if (status === 408 || status === 425 || status >= 500) throw fail(effect ? "unknown" : "transient", "unavailable");
  if (status >= 400) throw fail("terminal", "rejected");
  throw fail(effect ? "unknown" : "terminal", "bad_response");
}

/** RingCX's own refusals (ringcx/README, "Errors and limits"), and those of a refresh token (RFC 6749, 5.2). */
const refusal = z.union([
  z.object({ errorCode: z.string() }),
  z.object({ error: z.enum(["invalid_grant", "invalid_request", "invalid_client", "unauthorized_client"]) }),
]);

/** A gateway's or a firewall's refusals are words, pages or objects of their own. */
function isExplained({ body }: Answer): boolean {
  try {
    return refusal.safeParse(JSON.parse(body)).success;
  } catch {
    return false;
  }
}

/** The gateway's refusal of an access token (`Jwt is expired`), which says nothing of an `X-Auth-Token`. */
function aboutJwt(answer: Answer): boolean {
  return /^\s*"?jwt\b/i.test(answer.body);
}

/** `Retry-After` in seconds or as a date; what is unreadable or beyond two minutes is not believed. */
function parseRetryAfter(value: string): { retryAfterMs?: number } {
  if (value === "") return {};
  const text = value.trim();
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1000
    : /^[A-Z]/i.test(text)
      ? Date.parse(text) - Date.now()
      : Number.NaN;
  return Number.isFinite(ms) && ms <= 120_000 ? { retryAfterMs: Math.max(0, ms) } : {};
}

const neverSent = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function classify(call: Call<unknown>, error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const effect = call.kind === "effect";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // The foreign error stays behind: its message or fields can hold a URL, a header or a piece of the body.
  const cause = Object.assign(new Error(error instanceof Error ? error.name : typeof error), { code });
  const fail = (failure: UpstreamError["failure"], reason: FailureReason, facts = {}) =>
    new UpstreamError(call.operation, failure, reason, { cause, ...facts });

  if (isLimitExceeded(error)) return fail("transient", "rate_limited", { retryAfterMs: error.retryAfterMs });
  if (error instanceof BodyTooLarge) return fail(effect ? "unknown" : "terminal", "bad_response");
  const unreadable = error instanceof UnknownEncoding || /^(Z_|ERR__ERROR_|ERR_BROTLI)/.test(code);
  if (unreadable || error instanceof z.ZodError || error instanceof SyntaxError) {
    return fail(effect ? "unknown" : "transient", "bad_response");
  }
  if (error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError")) {
    return fail(effect ? "unknown" : "transient", "timeout");
  }
  if (neverSent.has(code)) return fail("transient", "unavailable");
  if (error instanceof errors.InvalidArgumentError) return fail("terminal", "rejected");
  return fail(effect ? "unknown" : "transient", "unavailable");
}
