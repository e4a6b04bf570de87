import { z } from "zod";
import { PROBLEMS, type ProblemCode } from "@/lib/errors";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.failures;

/** `network`: no answer came. `unreadable`: one came, but it is not ours (a gateway's page, a cut body). */
export type FailureCode = ProblemCode | "network" | "unreadable" | "aborted";

export type Failure = {
  code: FailureCode;
  title: string;
  detail: string;
  requestId: string | null;
  /** Seconds. */
  retryAfter: number | null;
  /** The problem's body, extensions included; null when there was none. */
  body: unknown;
};

export type Answer<T> = { ok: true; value: T } | { ok: false; failure: Failure };

type Call<T> = {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  answer: z.ZodType<T>;
  json?: unknown;
  form?: Record<string, string>;
  signal?: AbortSignal;
};

/** What the page is about: when the browser works with another account by now, nothing is to be done there instead. */
function workspace(): Record<string, string> {
  const shell = typeof document === "undefined" ? null : document.querySelector("[data-workspace]");
  const meant = shell?.getAttribute("data-workspace");
  return meant ? { "X-Tokendesk-Workspace": meant } : {};
}

/** Asks the person to prove who they are; true: they did. */
export type StepUp = (failure: Failure) => Promise<boolean>;

let stepUp: StepUp | null = null;

/** Whoever can ask says so here. Returns the function that takes it back. */
export function answerStepUps(ask: StepUp): () => void {
  stepUp = ask;
  return () => {
    if (stepUp === ask) stepUp = null;
  };
}

/** A call that was refused for want of a fresh sign-in did nothing: once that is made up for, it is made again. */
async function withStepUp<T>(attempt: () => Promise<Answer<T>>): Promise<Answer<T>> {
  const answer = await attempt();
  if (answer.ok || answer.failure.code !== "step_up_required" || stepUp === null) return answer;
  return (await stepUp(answer.failure)) ? attempt() : answer;
}

const codes = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]];

const problemSchema = z.looseObject({
  code: z.enum(codes),
  title: z.string(),
  detail: z.string().catch(""),
  requestId: z.string().nullable().catch(null),
  retryAfter: z.number().positive().nullable().catch(null),
});

/** One call to our own API. It never throws: what went wrong is a `Failure` that can be shown. */
export function call<T>(path: string, wish: Call<T>): Promise<Answer<T>> {
  return withStepUp(() => callOnce(path, wish));
}

async function callOnce<T>(path: string, { method, answer, json, form, signal }: Call<T>): Promise<Answer<T>> {
  const headers = new Headers({ Accept: "application/json, application/problem+json", ...workspace() });
  let body: BodyInit | null = null;
  if (form) body = new URLSearchParams(form);
  else if (method !== "GET") {
    headers.set("Content-Type", "application/json");
    body = JSON.stringify(json ?? {});
  }

  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers,
      body,
      signal: signal ?? null,
      cache: "no-store",
      redirect: "error",
    });
    text = await response.text();
  } catch (error) {
    return { ok: false, failure: brokenOff(error) };
  }

  if (!response.ok) return refusal(response, text);
  const parsed = answer.safeParse(parseJson(text));
  return parsed.success ? { ok: true, value: parsed.data } : unreadable(response);
}

type Stream = { method: "GET" | "POST"; json?: unknown; form?: FormData; signal: AbortSignal };

/** A call whose answer comes in pieces. It never throws; reading the pieces may: see `brokenOff`. */
export function openStream(path: string, wish: Stream): Promise<Answer<StreamedResponse>> {
  return withStepUp(() => openStreamOnce(path, wish));
}

type StreamedResponse = Response & { body: ReadableStream<Uint8Array<ArrayBuffer>> };

async function openStreamOnce(path: string, { method, json, form, signal }: Stream): Promise<Answer<StreamedResponse>> {
  const headers = new Headers(
    method === "GET" ? {} : { Accept: "application/x-ndjson, application/problem+json", ...workspace() },
  );
  // The browser names the type of a form itself, with the mark between its parts.
  if (method !== "GET" && !form) headers.set("Content-Type", "application/json");
  try {
    const response = await fetch(path, {
      method,
      headers,
      body: method === "GET" ? null : (form ?? JSON.stringify(json ?? {})),
      signal,
      cache: "no-store",
      redirect: "error",
    });
    if (!response.ok) return refusal(response, await response.text());
    if (response.body === null) return unreadable(response);
    return { ok: true, value: response as StreamedResponse };
  } catch (error) {
    return { ok: false, failure: brokenOff(error) };
  }
}

/** An answer in the form of NDJSON, line by line, as values; what is no JSON is `undefined`. */
export async function* jsonLines(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<unknown> {
  let rest = "";
  for await (const piece of pieces(body.pipeThrough(new TextDecoderStream()))) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield parseJson(line);
  }
  if (rest !== "") yield parseJson(rest);
}

/** A stream is not iterable in every browser. */
export async function* pieces<T>(stream: ReadableStream<T>): AsyncGenerator<T> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** What an exception of `fetch`, or of reading its answer, means. */
export function brokenOff(error: unknown): Failure {
  const { failure } =
    error instanceof DOMException && error.name === "AbortError"
      ? failed("aborted", texts.stopped, texts.stoppedWhy)
      : failed("network", texts.network, texts.networkWhy);
  return failure;
}

function refusal(response: Response, text: string): { ok: false; failure: Failure } {
  const data = parseJson(text);
  const problem = problemSchema.safeParse(data);
  if (!problem.success) return unreadable(response);
  const { code, title, detail, requestId, retryAfter } = problem.data;
  const wait = retryAfter ?? Number(response.headers.get("Retry-After"));
  return {
    ok: false,
    failure: {
      code,
      title,
      detail,
      requestId: requestId || null,
      retryAfter: wait > 0 ? Math.ceil(wait) : null,
      body: data,
    },
  };
}

/** A failure that came as the last line of a stream. */
export function failureOf({
  code,
  detail,
  retryAfter,
}: {
  code: string;
  detail: string;
  retryAfter?: number;
}): Failure {
  const known = codes.find((one) => one === code) ?? "internal_error";
  const { title } = PROBLEMS[known];
  return { code: known, title, detail, requestId: null, retryAfter: retryAfter ?? null, body: null };
}

/** True when nobody can say whether the call took effect. */
export function isOutcomeUnknown(failure: Failure): boolean {
  return (
    failure.code === "network" ||
    failure.code === "unreadable" ||
    failure.code === "aborted" ||
    failure.code === "creation_unconfirmed" ||
    failure.code === "revocation_unconfirmed"
  );
}

/** True when signing in again is what helps. */
export function needsSignIn(failure: Failure): boolean {
  return failure.code === "session_expired" || failure.code === "not_signed_in";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable(response: Response): { ok: false; failure: Failure } {
  return failed("unreadable", texts.unreadable, texts.unreadableWhy(response.status));
}

function failed(code: FailureCode, title: string, detail: string): { ok: false; failure: Failure } {
  return { ok: false, failure: { code, title, detail, requestId: null, retryAfter: null, body: null } };
}
