import "server-only";
import pino, { type Logger } from "pino";
import { env } from "@/lib/env";

/**
 * JSON lines on stdout. Facts are passed as named, non-secret fields; the redaction below is the net under
 * that rule, not the rule.
 */
const secretKeys = [
  "password",
  "accessToken",
  "refreshToken",
  "authToken",
  "apiToken",
  "token",
  "value",
  "cookie",
  "authorization",
];

/** An error as a log line may show it: name, code and our own message. A foreign message can hold a URL. */
function serializeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const ours = error.name === "TokendeskError" || error.name === "UpstreamError";
  return {
    name: error.name,
    ...pick(error, ["code", "operation", "failure", "reason", "upstreamStatus"]),
    ...(ours ? { message: error.message } : {}),
    ...(ours ? {} : { at: framesOf(error) }),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}

/** The frames alone: the message stands before them, and may have lines that look like frames. */
function framesOf(error: Error): string[] {
  const stack = error.stack ?? "";
  const end = stack.indexOf(error.message) + error.message.length;
  return stack.includes(error.message)
    ? stack
        .slice(end)
        .split("\n")
        .filter((line) => /^\s+at /.test(line))
        .slice(0, 6)
    : [];
}

function pick(error: Error, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(error).filter(([name]) => names.includes(name)));
}

const slot = Symbol.for("tokendesk.logger");
type Slot = { [slot]?: Logger };

export function logger(): Logger {
  const holder = globalThis as Slot;
  holder[slot] ??= pino({
    level: env().logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError },
    redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: "[redacted]" },
  });
  return holder[slot];
}
