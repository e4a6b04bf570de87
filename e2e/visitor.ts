/** Somebody with a cookie jar and no browser. */
import { expect } from "@playwright/test";
import { passwordOf } from "../test/sandbox-control.ts";

export type Reply = {
  status: number;
  headers: Headers;
  text: string;
  /** The body parsed as JSON. */
  json<T = Record<string, unknown>>(): T;
};

export type SendOptions = {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as it is, or as JSON when it is a plain object. */
  body?: string | URLSearchParams | FormData | Record<string, unknown> | undefined;
  /** Null sends no Origin header; by default it is the application's own. */
  origin?: string | null;
  /** A Cookie header in place of the jar's. */
  cookie?: string;
  signal?: AbortSignal;
};

type SetCookie = { name: string; value: string; attributes: Map<string, string> };

type Credentials = { username: string; password: string; platformId: string; host?: string };

export type Target = { url: string; origin: string };

/** Told of every answer: where it came from, and all of it as text. */
export type Recorder = (exchange: { method: string; path: string; head: string; body: string }) => void;

export function parseSetCookie(line: string): SetCookie {
  const [pair = "", ...rest] = line.split(";");
  const mark = pair.indexOf("=");
  const attributes = rest.map((part) => {
    const [name = "", ...value] = part.trim().split("=");
    return [name.toLowerCase(), value.join("=")] as const;
  });
  return { name: pair.slice(0, mark), value: pair.slice(mark + 1), attributes: new Map(attributes) };
}

function isRemoval({ value, attributes }: SetCookie): boolean {
  const expires = attributes.get("expires");
  return (
    value === "" || attributes.get("max-age") === "0" || (expires !== undefined && Date.parse(expires) <= Date.now())
  );
}

export class Visitor {
  readonly #app: Target;
  readonly #headers: Record<string, string>;
  readonly #record: Recorder | undefined;
  readonly cookies = new Map<string, string>();

  /** `headers` go with every request. */
  constructor(app: Target, headers: Record<string, string> = {}, record?: Recorder) {
    this.#app = app;
    this.#headers = headers;
    this.#record = record;
  }

  /** The name that a cookie of ours has here: on https with a prefix. */
  cookieName(name: string): string {
    return this.#app.origin.startsWith("https:") ? `__Host-${name}` : name;
  }

  /** The `Cookie` header as a browser would send it now. */
  cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async send(path: string, options: SendOptions = {}): Promise<Reply> {
    const { method = "GET", body, signal } = options;
    const origin = options.origin === undefined ? (method === "GET" ? null : this.#app.origin) : options.origin;
    const cookie = options.cookie ?? this.cookieHeader();
    const isJson = typeof body === "object" && !(body instanceof URLSearchParams) && !(body instanceof FormData);
    const response = await fetch(`${this.#app.url}${path}`, {
      method,
      redirect: "manual",
      headers: {
        ...(cookie === "" ? {} : { cookie }),
        ...(origin === null ? {} : { origin }),
        ...(isJson ? { "content-type": "application/json" } : {}),
        ...this.#headers,
        ...options.headers,
      },
      body: isJson ? JSON.stringify(body) : (body ?? null),
      signal: signal ?? null,
    });
    const text = await response.text();
    this.#keep(response.headers.getSetCookie());
    const head = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    this.#record?.({ method, path, head, body: text });
    return { status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T };
  }

  #keep(lines: string[]): void {
    for (const cookie of lines.map(parseSetCookie)) {
      if (isRemoval(cookie)) this.cookies.delete(cookie.name);
      else this.cookies.set(cookie.name, cookie.value);
    }
  }

  get(path: string, options: SendOptions = {}): Promise<Reply> {
    return this.send(path, options);
  }

  post(path: string, body?: SendOptions["body"], options: SendOptions = {}): Promise<Reply> {
    return this.send(path, { ...options, method: "POST", body });
  }

  patch(path: string, body: SendOptions["body"], options: SendOptions = {}): Promise<Reply> {
    return this.send(path, { ...options, method: "PATCH", body });
  }

  delete(path: string, options: SendOptions = {}): Promise<Reply> {
    return this.send(path, { ...options, method: "DELETE" });
  }

  /** The form's own two calls. Gives the answer of the second. */
  async attemptSignIn(credentials: Partial<Credentials> = {}, options: SendOptions = {}): Promise<Reply> {
    const { csrfToken } = (await this.get("/api/auth/csrf", options)).json<{ csrfToken: string }>();
    const username = credentials.username ?? "ana@example.com";
    const form = new URLSearchParams({
      username,
      password: credentials.password ?? passwordOf(username),
      platformId: credentials.platformId ?? "aws80",
      ...(credentials.host === undefined ? {} : { host: credentials.host }),
      csrfToken,
      json: "true",
    });
    return this.post("/api/auth/callback/ringcx", form, options);
  }

  /** Signs in a seeded user, who can. */
  async signIn(username = "ana@example.com"): Promise<this> {
    const reply = await this.attemptSignIn({ username });
    expect(reply.status, reply.text).toBe(200);
    return this;
  }

  async signOut(): Promise<Reply> {
    const { csrfToken } = (await this.get("/api/auth/csrf")).json<{ csrfToken: string }>();
    return this.post("/api/auth/signout", new URLSearchParams({ csrfToken, json: "true" }));
  }

  /** The tokens as the API lists them. */
  async tokens(): Promise<ListedToken[]> {
    const reply = await this.get("/api/tokens");
    expect(reply.status, reply.text).toBe(200);
    return reply.json<{ tokens: ListedToken[] }>().tokens;
  }
}

export type ListedToken = { id: string; hint: string; label: string | null; status: string } & Record<string, unknown>;

/** The hint of a token value, worked out without the code under test: `aws80:…c0a9`. */
export function hintOf(value: string): string {
  return `${value.slice(0, value.indexOf(":") + 1)}…${value.slice(-4)}`;
}

const problemMembers = ["type", "title", "status", "code", "detail", "requestId"];

/** Asserts an RFC 9457 problem in every particular, and gives its body. `extensions`: the members beyond the six. */
export function expectProblem(
  reply: Reply,
  status: number,
  code: string,
  extensions: string[] = [],
): Record<string, unknown> & { detail: string } {
  const shown = `${reply.status} ${reply.text.slice(0, 400)}`;
  expect(reply.status, shown).toBe(status);
  expect(reply.headers.get("content-type"), shown).toBe("application/problem+json");
  expect(reply.headers.get("cache-control")).toBe("no-store");
  const problem = reply.json<Record<string, unknown> & { detail: string }>();
  expect(problem).toMatchObject({ status, code, type: `urn:tokendesk:problem:${code}` });
  const retryAfter = reply.headers.has("retry-after") ? ["retryAfter"] : [];
  expect(Object.keys(problem).sort()).toEqual([...problemMembers, ...retryAfter, ...extensions].sort());
  expect(problem.title).toEqual(expect.stringMatching(/^[A-Z].{5,}/));
  expect(problem.detail).toMatch(/^.{10,}/);
  expect(problem.requestId).toBe(reply.headers.get("x-request-id"));
  return problem;
}
