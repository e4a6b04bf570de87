import { createHash } from "node:crypto";
import { type RunningSandbox, type SandboxOptions, startSandbox } from "../sandbox/server.ts";
import { Sandbox } from "./sandbox-control.ts";

export const ANA = { username: "ana@example.com", password: "sandbox", platformId: "aws80" };

/** A RingCX sandbox of its own for a test file, in its process. */
export class TestSandbox extends Sandbox {
  readonly #running: RunningSandbox;

  private constructor(running: RunningSandbox) {
    super(running.url);
    this.#running = running;
  }

  static async start(options: SandboxOptions = {}): Promise<TestSandbox> {
    return new TestSandbox(await startSandbox(options));
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  /** No faults, an empty journal. Cheaper than a reset; tokens and sessions stay. */
  async clear(): Promise<void> {
    await Promise.all([this.clearFaults(), this.clearJournal()]);
  }

  /** A token appears outside the dashboard: Ana's, or somebody else's. */
  mint(username = ANA.username): Promise<string> {
    return this.addToken(username);
  }

  override tokens(username = ANA.username): Promise<string[]> {
    return super.tokens(username);
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
}
