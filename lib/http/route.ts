import "server-only";
import { randomUUID } from "node:crypto";
import { type NextRequest, NextResponse } from "next/server";
import type { z } from "zod";
import { openRouteSession, type Session } from "@/lib/auth/session";
import { requireFresh } from "@/lib/auth/step-up";
import { env } from "@/lib/env";
import { isTokendeskError, PROBLEMS, type Problem, TokendeskError, toProblem } from "@/lib/errors";
import { type KeyHolder, keyIn, openKey } from "@/lib/keys/keys";
import type { KeyScope } from "@/lib/keys/schema";
import { logger } from "@/lib/logger";
import { observeRequest } from "@/lib/metrics";

/** Requests with bodies above that are few at a time: parsed, such a body can take twenty times its size. */
const largeBody = 1024 * 1024;
const mostLarge = 3;
const slot = Symbol.for("tokendesk.http.large");
type Slot = { [slot]?: Set<Request> };

/** Those at work in this process, whichever bundle they are in. */
function large(): Set<Request> {
  const holder = globalThis as Slot;
  holder[slot] ??= new Set();
  return holder[slot];
}

/** What Next holds for the proxy is a little more (next.config.mjs); a route beyond it must not pass through that. */
const defaultMaxBody = 64 * 1024;

type Input<Body, Params, Query> = {
  request: NextRequest;
  requestId: string;
  body: Body;
  params: Params;
  query: Query;
};

type Definition<Body, Params, Query> = {
  /** The route's pattern, for the log: an actual path could hold anything. */
  name: string;
  body?: z.ZodType<Body>;
  /** Bytes; default 64 KB. */
  maxBody?: number;
  params?: z.ZodType<Params>;
  /** Of the parameters behind the path, each given once at most. Without it they are not looked at. */
  query?: z.ZodType<Query>;
  /** For who has proven within STEP_UP_MINUTES who they are. */
  fresh?: boolean;
  /** It is about one connection: that of `?connection={id}`, without it the active one. */
  connection?: boolean;
  /** It is about the person and not about what they work with. */
  anyWorkspace?: boolean;
};

type Context = { params: Promise<Record<string, string | string[] | undefined>> };
type Handler = (request: NextRequest, context: Context) => Promise<Response>;

/**
 * A route for signed-in people: Origin check, session, zod, the verb, errors as problems. What the verb returns
 * is sent as JSON with `no-store`; a Response is sent as it is.
 */
export function route<Body = undefined, Params = undefined, Query = undefined>(
  definition: Definition<Body, Params, Query>,
  verb: (input: Input<Body, Params, Query> & { session: Session }) => Promise<unknown>,
): Handler {
  return (request, context) =>
    answer(definition.name, request, async (requestId) => {
      // The session comes before the input: a stranger learns nothing of what is valid.
      const { session, settle } = await openRouteSession();
      try {
        const input = await parseInput(definition, request, context, requestId);
        if (definition.fresh) requireFresh(session);
        if (!definition.anyWorkspace && !definition.connection) checkWorkspace(session, request);
        return await verb({ ...input, session: definition.connection ? throughNamed(session, request) : session });
      } finally {
        await settle();
      }
    });
}

/**
 * A route for scanners and CI jobs, with an API key in place of a session: `Authorization: Bearer tdk_…`. Cookies are not
 * looked at. No page of another site can send that header, since no answer of ours allows it to, so a request without an
 * Origin is taken (docs/decisions/0015-api-keys.md).
 */
export function keyRoute<Body = undefined, Params = undefined, Query = undefined>(
  definition: Definition<Body, Params, Query> & { scope?: KeyScope },
  verb: (input: Input<Body, Params, Query> & { key: KeyHolder }) => Promise<unknown>,
): Handler {
  return (request, context) =>
    answer(
      definition.name,
      request,
      async (requestId) => {
        const key = await openKey(request.headers, requestId, definition.scope);
        return verb({ ...(await parseInput(definition, request, context, requestId)), key });
      },
      { withoutOrigin: true },
    );
}

type SignedInOrKey = { session: Session; key: null } | { session: null; key: KeyHolder };

/** A route that reads, for signed-in people and for API keys: who sends a key is that key, cookies or not. */
export function routeOrKey<Body = undefined, Params = undefined, Query = undefined>(
  definition: Definition<Body, Params, Query> & { scope?: KeyScope },
  verb: (input: Input<Body, Params, Query> & SignedInOrKey) => Promise<unknown>,
): Handler {
  const withKey = keyRoute(definition, ({ key, ...input }) => verb({ ...input, session: null, key }));
  const withSession = route(definition, ({ session, ...input }) => verb({ ...input, session, key: null }));
  return (request, context) => (keyIn(request.headers) === null ? withSession : withKey)(request, context);
}

/** A route for anybody: the same, without a session. */
export function publicRoute<Body = undefined, Params = undefined, Query = undefined>(
  definition: Definition<Body, Params, Query>,
  verb: (input: Input<Body, Params, Query>) => Promise<unknown>,
): Handler {
  return (request, context) =>
    answer(definition.name, request, async (requestId) =>
      verb(await parseInput(definition, request, context, requestId)),
    );
}

type Method = "DELETE" | "GET" | "HEAD" | "PATCH" | "POST" | "PUT";

/** Handlers for the methods that a route does not have, which names those that it has: Next's own answer is empty. */
export function refused<Has extends Method>(...has: Has[]): Record<Exclude<Method, Has>, Handler> {
  const handler = publicRoute({ name: "method" }, async ({ request, requestId }) => {
    const detail = `This address does not take ${request.method}.`;
    const response = problemResponse(new TokendeskError("method_not_allowed", detail), requestId);
    response.headers.set("allow", has.join(", "));
    return response;
  });
  const every: Record<Method, Handler> = {
    DELETE: handler,
    GET: handler,
    HEAD: handler,
    PATCH: handler,
    POST: handler,
    PUT: handler,
  };
  return every;
}

async function answer(
  name: string,
  request: NextRequest,
  work: (requestId: string) => Promise<unknown>,
  { withoutOrigin = false }: { withoutOrigin?: boolean } = {},
): Promise<Response> {
  // The proxy's, which replaces whatever the client sent, so that its log lines and ours share one.
  const noted = request.headers.get("x-request-id") ?? "";
  const requestId = /^[0-9a-f-]{36}$/.test(noted) ? noted : randomUUID();
  const startedAt = performance.now();
  let made: Response;
  try {
    // One that is named must be ours all the same: it tells that a page sends this.
    if (!withoutOrigin || request.headers.has("origin")) checkOrigin(request);
    const result = await work(requestId);
    made = result instanceof Response ? result : NextResponse.json(result);
  } catch (error) {
    made = problemResponse(error, requestId);
  } finally {
    large().delete(request);
  }
  // A copy: the headers of some responses (a redirect's) cannot be changed.
  const response = new Response(made.body, made);
  response.headers.set("cache-control", "no-store");
  response.headers.set("x-request-id", requestId);
  // What does not pass through proxy.ts, which marks what does, has its headers from here.
  if (!request.headers.has("x-nonce")) {
    response.headers.set("content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
    if (env().secureCookies) response.headers.set("strict-transport-security", "max-age=31536000; includeSubDomains");
  }
  const ms = Math.round(performance.now() - startedAt);
  observeRequest(name, request.method, response.status, ms);
  logger().info({ requestId, route: name, method: request.method, status: response.status, ms }, "request");
  return response;
}

/**
 * A page says which workspace it is about. When another one is active by now (RingCX has ended that connection, or another
 * tab has switched) what was meant for the one must not happen in the other.
 */
function checkWorkspace(session: Session, request: Request): void {
  const meant = request.headers.get("x-tokendesk-workspace");
  if (meant === null || meant === session.workspaceId || request.method === "GET") return;
  throw new TokendeskError(
    "connection_required",
    "This page is about another RingCX account than the one that you work with now, so nothing was done. Reload it, or switch back.",
  );
}

/**
 * Route handlers have no CSRF check of their own. A browser sends `Origin` with every request that is not a
 * plain GET, so a mutation without one, or with another one, is not from our pages.
 */
function checkOrigin(request: Request): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  if (request.headers.get("origin") !== env().appUrl) {
    throw new TokendeskError("bad_origin", "Changes are accepted from Tokendesk's own pages only.");
  }
}

async function parseInput<Body, Params, Query>(
  definition: Definition<Body, Params, Query>,
  request: NextRequest,
  context: Context,
  requestId: string,
): Promise<Input<Body, Params, Query>> {
  const params = definition.params ? check(definition.params, await context.params) : undefined;
  const query = definition.query ? checkQuery(definition.query, request.nextUrl.searchParams) : undefined;
  const body = definition.body ? check(definition.body, await readJson(request, definition.maxBody)) : undefined;
  return { request, requestId, params: params as Params, body: body as Body, query: query as Query };
}

/** @throws {TokendeskError} `not_found`: it is none of theirs */
function throughNamed(session: Session, request: NextRequest): Session {
  const [id, ...more] = request.nextUrl.searchParams.getAll("connection");
  if (more.length > 0) return refuse([{ path: "connection", message: "must be given once" }]);
  return id === undefined ? session : session.through(id);
}

type Flaw = { path: string; message: string };

function check<T>(schema: z.ZodType<T>, value: unknown, what = "field"): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  return refuse(parsed.error.issues.map((issue) => ({ path: issue.path.join("."), message: messageOf(issue, what) })));
}

function checkQuery<T>(schema: z.ZodType<T>, parameters: URLSearchParams): T {
  const parsed = check(schema, Object.fromEntries(parameters), "parameter");
  // Known names only from here on: they may be told.
  const names = [...parameters.keys()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? parsed : refuse([{ path: twice, message: "must be given once" }]);
}

function refuse(errors: Flaw[]): never {
  const detail = errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
  throw new TokendeskError("invalid_input", detail, { extensions: { errors } });
}

/** zod's message, but for the names of what is unknown: whatever stands there, a pasted token too, would be echoed. */
function messageOf(issue: z.core.$ZodIssue, what: string): string {
  if (issue.code !== "unrecognized_keys") return issue.message;
  const names = issue.keys.filter((name) => /^[A-Za-z]{1,24}$/.test(name));
  return names.length === issue.keys.length ? `Unknown ${what}: ${names.join(", ")}` : `Unknown ${what}`;
}

/** A body that may be absent: then it is an empty object. */
async function readJson(request: Request, maxBytes?: number): Promise<unknown> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return {};
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new TokendeskError("invalid_input", "Send the body as application/json.");
  }
  try {
    // What is no UTF-8 would be kept as question marks. A byte order mark is passed over.
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new TokendeskError("invalid_input", "The body is not valid JSON.");
  }
}

/** @throws {TokendeskError} `payload_too_large`, before more than the cap is held */
export async function readText(request: Request, maxBytes?: number): Promise<string> {
  return (await readBytes(request, maxBytes)).toString("utf8");
}

/** @throws {TokendeskError} `payload_too_large`, before more than the cap is held; `rate_limited`: too many large ones */
export async function readBytes(request: Request, maxBytes = defaultMaxBody): Promise<Buffer> {
  const size = maxBytes >= 1024 * 1024 ? `${maxBytes / 1024 / 1024} MB` : `${maxBytes / 1024} KB`;
  const tooLarge = new TokendeskError("payload_too_large", `The request body is larger than ${size}.`);
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let held = 0;
  if (request.body) {
    for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
      held += chunk.length;
      if (held > maxBytes) throw tooLarge;
      if (held > largeBody && !large().has(request)) {
        if (large().size >= mostLarge) {
          throw new TokendeskError(
            "rate_limited",
            "Tokendesk is looking through other large texts. Try again in a moment.",
            { retryAfter: 3 },
          );
        }
        large().add(request);
      }
      chunks.push(chunk);
    }
  }
  return Buffer.concat(chunks);
}

/** The one place where an error becomes an answer; what is not ours is logged as an error. */
function problemResponse(error: unknown, requestId: string): Response {
  if (!isTokendeskError(error)) logger().error({ requestId, err: error }, "unexpected error");
  else if (PROBLEMS[error.code].status >= 500) logger().warn({ requestId, err: error }, "request failed");
  const problem: Problem = toProblem(error, requestId);
  return new NextResponse(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      "content-type": "application/problem+json",
      ...(typeof problem.retryAfter === "number" ? { "retry-after": String(problem.retryAfter) } : {}),
    },
  });
}
