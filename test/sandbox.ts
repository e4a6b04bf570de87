/** A RingCX sandbox of its own for a test file, and the control API as typed calls. */
import { createHash } from "node:crypto";
import type { JournalEntry } from "../sandbox/journal.ts";
import { type RunningSandbox, type SandboxOptions, startSandbox } from "../sandbox/server.ts";

export const PLATFORM = "aws80";
export const ANA = { username: "ana@example.com", password: "sandbox", platformId: PLATFORM };

export class TestSandbox {
  readonly url: string;
  readonly #running: RunningSandbox;

  private constructor(running: RunningSandbox) {
    this.#running = running;
    this.url = running.url;
  }

  static async start(options: SandboxOptions = {}): Promise<TestSandbox> {
    return new TestSandbox(await startSandbox(options));
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  async control<T>(method: string, path: string, input?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/__sandbox/${path}`, {
      method,
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  async fault(fault: Record<string, unknown>): Promise<void> {
    await this.control("POST", "faults", fault);
  }

  /** Back to the seed: users, tokens, sessions, faults, journal, settings, clock. */
  async reset(): Promise<void> {
    await this.control("POST", "reset");
  }

  async journal(operation?: string): Promise<JournalEntry[]> {
    const { entries } = await this.control<{ entries: JournalEntry[] }>("GET", "journal");
    return operation === undefined ? entries : entries.filter((entry) => entry.operation === operation);
  }

  /** No faults, an empty journal. Cheaper than a reset; tokens and sessions stay. */
  async clear(): Promise<void> {
    await Promise.all([this.control("DELETE", "faults"), this.control("DELETE", "journal")]);
  }

  /** A new token of a user, made outside the dashboard. */
  async mint(username = ANA.username): Promise<string> {
    return (await this.control<{ value: string }>("POST", "tokens", { username })).value;
  }

  async clearJournal(): Promise<void> {
    await this.control("DELETE", "journal");
  }

  async tokens(username = ANA.username): Promise<string[]> {
    return (await this.control<{ tokens: string[] }>("GET", `tokens?username=${encodeURIComponent(username)}`)).tokens;
  }

  /** The legacy portal, as RINGCX_LEGACY_HOSTS names it. */
  get portal(): string {
    return `${this.url}/api`;
  }

  /** What makes RingEX sign-in available here. */
  get ringex(): Record<string, string> {
    return { RC_CLIENT_ID: "sandbox-client", RC_CLIENT_SECRET: "sandbox-secret", RC_SERVER_URL: this.url };
  }

  /** A RingEX access token of a user who has allowed the client. */
  async ringexToken(username = ANA.username): Promise<string> {
    const verifier = "v".repeat(43);
    const redirect_uri = "http://localhost:3000/api/auth/callback/ringcentral";
    const post = (path: string, fields: Record<string, string>) =>
      fetch(`${this.url}/restapi/oauth/${path}`, {
        method: "POST",
        headers: { "user-agent": "test/1.0" },
        body: new URLSearchParams(fields),
        redirect: "manual",
      });
    const allowed = await post("authorize", {
      client_id: "sandbox-client",
      redirect_uri,
      response_type: "code",
      state: "state",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      sandbox_user: username,
      sandbox_decision: "allow",
    });
    const code = new URL(allowed.headers.get("location") ?? "").searchParams.get("code") ?? "";
    const client = { client_id: "sandbox-client", client_secret: "sandbox-secret" };
    const grant = { grant_type: "authorization_code", code, redirect_uri, code_verifier: verifier };
    const issued = (await (await post("token", { ...grant, ...client })).json()) as { access_token: string };
    return issued.access_token;
  }

  /** Every secret that this sandbox ever issued or holds. */
  async secrets(): Promise<string[]> {
    const byKind = await this.control<Record<string, string[]>>("GET", "secrets");
    return Object.values(byKind).flat();
  }
}
