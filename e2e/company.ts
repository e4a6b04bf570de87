/** A company with its own identity provider, and somebody without a browser who goes through it. */

import { CLIENT } from "../test/oidc-client.ts";
import { test as base, expect } from "./fixtures.ts";
import { type RunningProvider, startProvider } from "./servers.ts";
import { parseSetCookie, type Reply, type Visitor } from "./visitor.ts";

const verified = (email: string, more: object = {}) => ({ email, email_verified: true, ...more });

/** Who is known at the provider, by the name that is typed there. */
export const people = {
  olga: verified("Olga@Acme.example", { name: "Olga Opsdóttir", groups: ["everyone", "rcx-ops"] }),
  mem: verified("mem@acme.example", { name: "Mem Ber", groups: ["everyone"] }),
  admin: verified("root@acme.example", { name: "Ada Admin" }),
  ana: verified("ana@example.com", { name: "Ana at Acme" }),
  unverified: { email: "ops@acme.example", email_verified: false, name: "Not Yet", groups: ["rcx-ops"] },
  unsaid: { email: "ops@acme.example", name: "Not Said", groups: ["rcx-ops"] },
  word: { email: "ops@acme.example", email_verified: "true", name: "In a Word" },
  nobody: { name: "No Address", groups: ["rcx-ops"] },
  byAddress: verified("ops@acme.example", { name: "Otto by Address" }),
  oneGroup: verified("one@acme.example", { groups: "rcx-ops" }),
  listed: verified("f1@acme.example", { groups: "everyone,rcx-ops" }),
  mixed: verified("f2@acme.example", { groups: ["rcx-ops", 7] }),
  keyed: verified("f3@acme.example", { groups: { "rcx-ops": true } }),
  nested: verified("f4@acme.example", { groups: [["rcx-ops"]] }),
  otherClaim: verified("f5@acme.example", { roles: ["rcx-ops"], realm_access: { groups: ["rcx-ops"] } }),
  otherCase: verified("f6@acme.example", { groups: ["RCX-OPS", " rcx-ops", "rcx-ops "] }),
};

export type Name = keyof typeof people;

const behaviour = {
  alg: "RS256",
  accounts: people,
  claimsIn: "id_token",
  endSession: true,
  flaw: null,
} as const;

type Fixtures = { /** As it is at first, before each test. */ company: RunningProvider };

export const test = base.extend<Fixtures, { identityProvider: RunningProvider }>({
  identityProvider: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the dependencies from the pattern
    async ({}, use) => {
      const provider = await startProvider();
      await use(provider);
      await provider.stop();
    },
    { scope: "worker" },
  ],

  appEnv: [
    async ({ identityProvider }, use) => {
      await use({
        ...oidcEnv(identityProvider.issuer),
        ALLOWED_ACCOUNTS: "333333",
        OPS_USERS: "ops@acme.example",
        ADMIN_USERS: "root@acme.example",
        STEP_UP_MINUTES: "1",
      });
    },
    { scope: "worker" },
  ],

  company: async ({ identityProvider }, use) => {
    await identityProvider.become(behaviour);
    await use(identityProvider);
  },
});

export function oidcEnv(issuer: string): Record<string, string> {
  return {
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: CLIENT.id,
    OIDC_CLIENT_SECRET: CLIENT.secret,
    OIDC_OPS_GROUP: "rcx-ops",
  };
}

type Purpose = "sign_in" | "connect" | "confirm";

/** Says what the sign-in is for, and gives the address at the provider that the browser is sent to. */
export async function begin(visitor: Visitor, purpose: Purpose = "sign_in", returnTo = "/audit"): Promise<URL> {
  const intent = await visitor.post("/api/auth/intent", { purpose, returnTo });
  expect(intent.status, intent.text).toBe(204);
  const begun = await setOut(visitor);
  expect(begun.status, begun.text).toBe(200);
  return new URL(begun.json<{ url: string }>().url);
}

/** Sets out without saying what for. */
export async function setOut(visitor: Visitor, query = ""): Promise<Reply> {
  const { csrfToken } = (await visitor.get("/api/auth/csrf")).json<{ csrfToken: string }>();
  return visitor.post(`/api/auth/signin/oidc${query}`, new URLSearchParams({ csrfToken, json: "true" }));
}

/** What a person keeps of the provider: their session there. */
export class Desk {
  readonly #cookies = new Map<string, string>();

  /** Goes to the provider's address, answers its page, and gives the path that it sends the browser back to. */
  async answer(address: URL, name: Name | "nobody-known", say: "allow" | "deny" = "allow"): Promise<string> {
    let url = address;
    for (let step = 0; step < 10; step += 1) {
      const asked = await this.#send(url);
      const answered = asked.status === 200 ? await this.#send(url, new URLSearchParams({ name, answer: say })) : asked;
      const location = answered.headers.get("location");
      if (location === null) throw new Error(`${url}: ${answered.status} ${await answered.text()}`);
      url = new URL(location, url);
      if (url.pathname.startsWith("/api/auth/callback/")) return `${url.pathname}${url.search}`;
    }
    throw new Error("the provider leads nowhere");
  }

  async #send(url: URL, body: URLSearchParams | null = null): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { method: body ? "POST" : "GET", body, redirect: "manual", headers: { cookie } });
    for (const { name, value } of answer.headers.getSetCookie().map(parseSetCookie)) this.#cookies.set(name, value);
    return answer;
  }
}

/** All the way, with a desk of its own. Gives the answer that the browser is led on with. */
export async function goThrough(
  visitor: Visitor,
  name: Name | "nobody-known",
  { purpose = "sign_in" as Purpose, returnTo = "/audit", say = "allow" as "allow" | "deny", desk = new Desk() } = {},
): Promise<Reply> {
  return visitor.get(await desk.answer(await begin(visitor, purpose, returnTo), name, say));
}

/** Signs in somebody who may. */
export async function enterAs(visitor: Visitor, name: Name, desk = new Desk()): Promise<Visitor> {
  const reply = await goThrough(visitor, name, { desk });
  expect(locationOf(reply)).toBe("/audit");
  return visitor;
}

/** The path that a redirect leads to, at the dashboard. */
export function locationOf(reply: Reply): string {
  expect(reply.status, reply.text).toBe(307);
  const url = new URL(reply.headers.get("location") ?? "");
  return `${url.pathname}${url.search}`;
}
