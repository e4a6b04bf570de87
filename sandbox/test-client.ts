import { type RunningSandbox, type SandboxOptions, startSandbox } from "./server.ts";

/** What a test sees of one answer. */
export type Seen = { status: number; contentType: string; headers: Headers; body: string };

/** The sandbox's answer to a sign-in, as far as the tests read it. */
export type SignedIn = { accessToken: string; refreshToken: string } & Record<string, unknown>;

/** A sandbox of its own and a real HTTP client for it. Redirects are not followed. */
export class TestClient {
  readonly sandbox: RunningSandbox;

  constructor(sandbox: RunningSandbox) {
    this.sandbox = sandbox;
  }

  static async start(options: SandboxOptions = {}): Promise<TestClient> {
    return new TestClient(await startSandbox(options));
  }

  fetch(method: string, path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> {
    return fetch(this.sandbox.url + path, {
      method,
      headers: { "user-agent": "sandbox-test/1.0", ...headers },
      redirect: "manual",
      ...init,
    });
  }

  async call(method: string, path: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
    const response = await this.fetch(method, path, headers, init);
    const seen: Seen = {
      status: response.status,
      contentType: response.headers.get("content-type") ?? "",
      headers: response.headers,
      body: await response.text(),
    };
    return seen;
  }

  form(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Seen> {
    return this.call("POST", path, headers, { body: new URLSearchParams(fields) });
  }

  login(username: string, password = "sandbox", platformId = "aws80"): Promise<Seen> {
    const query = new URLSearchParams({ username, password, platformId });
    return this.call("POST", `/api/auth/login/admin?${query}`);
  }

  async signIn(username = "ana@example.com"): Promise<SignedIn> {
    return JSON.parse((await this.login(username)).body) as SignedIn;
  }

  /** The Authorization header of a new sign-in. */
  async bearer(username = "ana@example.com"): Promise<Record<string, string>> {
    return bearer((await this.signIn(username)).accessToken);
  }

  async control<T = Record<string, unknown>>(method: string, path: string, input?: unknown): Promise<T> {
    const response = await fetch(`${this.sandbox.url}/__sandbox/${path}`, {
      method,
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    });
    return (await response.json()) as T;
  }

  fault(fault: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.control("POST", "faults", fault);
  }

  async tokens(username = "ana@example.com"): Promise<string[]> {
    return (await this.control<{ tokens: string[] }>("GET", `tokens?username=${username}`)).tokens;
  }

  async journal(): Promise<Record<string, unknown>[]> {
    return (await this.control<{ entries: Record<string, unknown>[] }>("GET", "journal")).entries;
  }
}

export const TOKENS = "/voice/api/v1/admin/token";

export const bearer = (accessToken: string) => ({ authorization: `Bearer ${accessToken}` });
export const xAuth = (token: string) => ({ "x-auth-token": token });
export const tokenPath = (token: string) => `${TOKENS}/${encodeURIComponent(token)}`;
