import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processorMs } from "../test/process.ts";
import { TestClient, TOKENS, tokenPath, xAuth } from "./test-client.ts";

let client: TestClient;
beforeEach(async () => {
  client = await TestClient.start();
});
afterEach(() => client.sandbox.close());

describe("API tokens", () => {
  it("are created as text, another one with every call, and listed for their user only", async () => {
    const headers = await client.bearer("new@example.com");
    expect((await client.call("GET", TOKENS, headers)).body).toBe("[]");
    const first = await client.call("POST", TOKENS, headers);
    const second = await client.call("POST", TOKENS, headers);
    expect(first.contentType).toMatch(/^text\/plain/);
    expect(first.body).toMatch(/^aws80:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(second.body).not.toBe(first.body);
    expect(JSON.parse((await client.call("GET", TOKENS, headers)).body)).toEqual([first.body, second.body]);
    expect((await client.call("GET", TOKENS, await client.bearer())).body).not.toContain(first.body);
  });

  it("can come quoted as JSON", async () => {
    await client.control("POST", "config", { quotedTokens: true });
    const { body } = await client.call("POST", TOKENS, await client.bearer());
    expect(JSON.parse(body)).toMatch(/^aws80:/);
  });

  it("authenticate as X-Auth-Token until they are deleted", async () => {
    const [token = "", sibling = ""] = await client.tokens();
    expect(JSON.parse((await client.call("GET", TOKENS, xAuth(token))).body)).toContain(token);
    expect((await client.call("DELETE", tokenPath(token), xAuth(sibling))).body).toBe("true");
    expect((await client.call("GET", TOKENS, xAuth(token))).status).toBe(401);
    expect((await client.call("DELETE", tokenPath(sibling), xAuth(sibling))).body).toBe("true");
    expect((await client.call("GET", TOKENS, xAuth(sibling))).status).toBe(401);
  });

  it("are found under an encoded path and under a raw colon", async () => {
    const [first = "", second = ""] = await client.tokens();
    const headers = await client.bearer();
    expect(tokenPath(first)).toContain("aws80%3A");
    expect((await client.call("DELETE", tokenPath(first), headers)).body).toBe("true");
    expect((await client.call("DELETE", `${TOKENS}/${second}`, headers)).body).toBe("true");
    expect((await client.call("DELETE", `${TOKENS}/aws80%3`, headers)).status).toBe(400);
    expect(await client.tokens()).not.toContain(first);
  });

  it("answer 200 false to the deletion of an unknown token and of a stranger's", async () => {
    const [stranger = ""] = await client.tokens("other@example.com");
    const headers = await client.bearer();
    for (const token of ["aws80:00000000-0000-0000-0000-000000000000", stranger]) {
      expect(await client.call("DELETE", tokenPath(token), headers)).toMatchObject({ status: 200, body: "false" });
    }
    expect(await client.tokens("other@example.com")).toContain(stranger);
  });

  it("can be deleted by a user who manages the owner, at any depth, and by no other relative", async () => {
    const parent = await client.bearer("parent@example.com");
    const [parentToken = ""] = await client.tokens("parent@example.com");
    const [child = ""] = await client.tokens("child1@example.com");
    const [sibling = ""] = await client.tokens("child2@example.com");
    const [grandchild = ""] = await client.tokens("grandchild@example.com");
    const child1 = await client.bearer("child1@example.com");
    expect((await client.call("DELETE", tokenPath(grandchild), child1)).body).toBe("false");
    expect((await client.call("DELETE", tokenPath(sibling), child1)).body).toBe("false");
    expect((await client.call("DELETE", tokenPath(parentToken), child1)).body).toBe("false");
    expect((await client.call("DELETE", tokenPath(child), parent)).body).toBe("true");
    expect((await client.call("DELETE", tokenPath(sibling), xAuth(parentToken))).body).toBe("true");
    expect((await client.call("DELETE", tokenPath(grandchild), parent)).body).toBe("true");
  });

  it("can be deleted by nobody in particular, unless that is turned off; a dead credential never deletes", async () => {
    const [first = "", second = ""] = await client.tokens();
    expect((await client.call("DELETE", tokenPath(second), { authorization: "Bearer x" })).status).toBe(401);
    expect((await client.call("DELETE", tokenPath(second), xAuth("aws80:dead"))).status).toBe(401);
    expect(await client.call("DELETE", tokenPath(first))).toMatchObject({ status: 200, body: "true" });
    await client.control("POST", "config", { anonymousDelete: false });
    expect(await client.call("DELETE", tokenPath(second))).toMatchObject({ status: 401, body: "Jwt is missing" });
    expect(await client.tokens()).toContain(second);
  });

  it("may live on for a while after RingCX said that they are deleted", async () => {
    await client.control("POST", "config", { deletionSeconds: 10 });
    const [token = ""] = await client.tokens();
    const answers = [await client.call("DELETE", tokenPath(token)), await client.call("DELETE", tokenPath(token))];
    expect(answers.map(({ body }) => body)).toEqual(["true", "false"]);
    const list = async () => (await client.call("GET", "/voice/api/v1/admin/token", xAuth(token))).status;
    expect(await list()).toBe(200);
    await client.control("POST", "clock", { advanceSeconds: 10 });
    expect(await list()).toBe(401);
  });

  it("are the same after a restart", async () => {
    const again = await TestClient.start();
    expect(await again.tokens()).toEqual(await client.tokens());
    await again.sandbox.close();
  });

  it("are told alive or dead by isTokenValid", async () => {
    const [token = ""] = await client.tokens();
    const path = `/voice/api/v1/auth/isTokenValid?token=${encodeURIComponent(token)}`;
    expect((await client.call("GET", path)).body).toBe("true");
    await client.control("DELETE", "tokens", { value: token });
    expect((await client.call("GET", path)).body).toBe("false");
    expect((await client.call("GET", "/voice/api/v1/auth/isTokenValid")).status).toBe(400);
  });

  it("list in under 50 ms when there are 10,000", async () => {
    const headers = await client.bearer("many@example.com");
    const durations: number[] = [];
    for (let run = 0; run < 5; run += 1) {
      let body = "";
      durations.push(
        await processorMs(async () => {
          body = (await client.call("GET", TOKENS, headers)).body;
        }),
      );
      expect(new Set(JSON.parse(body) as string[]).size).toBe(10_000);
    }
    expect(Math.min(...durations)).toBeLessThan(50);
  });
});

describe("accounts and users", () => {
  const ACCOUNTS = "/voice/api/v1/admin/accounts";
  type Account = { mainAccountId: string; crmPwd: string; phoneRecordingPin: number };
  const accountsOf = async (username: string) =>
    JSON.parse((await client.call("GET", ACCOUNTS, await client.bearer(username))).body) as Account[];

  it("differ by user", async () => {
    expect(await accountsOf("ana@example.com")).toHaveLength(3);
    expect(await accountsOf("noaccounts@example.com")).toEqual([]);
    const many = await accountsOf("many@example.com");
    expect(many).toHaveLength(40);
    expect(new Set(many.map(({ mainAccountId }) => mainAccountId)).size).toBe(2);
    expect((await accountsOf("other@example.com"))[0]?.mainAccountId).toBe("444444");
  });

  it("hold secrets that GET secrets knows", async () => {
    const [account] = await accountsOf("ana@example.com");
    const { accountFields } = await client.control<{ accountFields: string[] }>("GET", "secrets");
    expect(account?.crmPwd).toMatch(/^SECRET-crmPwd-[0-9a-f]{12}-333334$/);
    expect(accountFields).toContain(account?.crmPwd);
    expect(accountFields).toContain(String(account?.phoneRecordingPin));
  });

  it("give an authToken away that signs its bearer in", async () => {
    const { body } = await client.call("GET", "/voice/api/v1/admin/auth", await client.bearer());
    const view = JSON.parse(body) as { authToken: string; user: { userName: string } };
    expect(view.user.userName).toBe("ana@example.com");
    expect((await client.call("GET", TOKENS, xAuth(view.authToken))).status).toBe(200);
  });

  type User = { userName: string; children: User[] };
  const usersOf = async (query: string) => {
    const path = `/voice/api/v1/admin/users${query}`;
    return JSON.parse((await client.call("GET", path, await client.bearer("parent@example.com"))).body) as User[];
  };

  it("show the users below the caller, nested or flat, all or only the active ones", async () => {
    const nested = await usersOf("");
    expect(nested.map(({ userName }) => userName)).toEqual(["child1@example.com", "child2@example.com"]);
    expect(nested[0]?.children.map(({ userName }) => userName)).toEqual(["grandchild@example.com"]);
    expect(await usersOf("/1118/children")).toHaveLength(1);
    const flat = await usersOf("?flatten=true");
    expect(flat).toHaveLength(3);
    expect(flat.every(({ children }) => children.length === 0)).toBe(true);
    await client.control("POST", "users", { username: "child2@example.com", enabled: false });
    expect(await usersOf("?activeOnly=true")).toHaveLength(1);
    expect(await usersOf("?activeOnly=false")).toHaveLength(2);
  });

  it("show users only to those who may manage users, and strangers to nobody", async () => {
    const child = await client.bearer("child1@example.com");
    expect((await client.call("GET", "/voice/api/v1/admin/users", child)).status).toBe(403);
    expect((await client.call("GET", "/voice/api/v1/admin/users/1118/children", child)).status).toBe(403);
    const parent = await client.bearer("parent@example.com");
    expect((await client.call("GET", "/voice/api/v1/admin/users/1111/children", parent)).status).toBe(403);
    expect((await client.call("GET", "/voice/api/v1/admin/users/9/children", parent)).status).toBe(404);
  });
});

describe("the audit log", () => {
  const criteria = {
    accountId: "333333",
    startDateTime: "2020-01-01T00:00:00.000+0000",
    endDateTime: "2099-01-01T00:00:00.000+00:00",
  };
  const search = async (input: object, username = "ana@example.com") =>
    client.call(
      "PUT",
      "/voice/api/v1/admin/auditLogs/search",
      { ...(await client.bearer(username)), "content-type": "application/json" },
      { body: JSON.stringify(input) },
    );

  it("shows creations and deletions after five minutes, without the value", async () => {
    const headers = await client.bearer();
    const { body: token } = await client.call("POST", TOKENS, headers);
    await client.call("DELETE", tokenPath(token), headers);
    await client.control("POST", "clock", { advanceSeconds: 290 });
    expect((await search(criteria)).body).toBe("[]");
    await client.control("POST", "clock", { advanceSeconds: 11 });
    const { body } = await search(criteria);
    expect(JSON.parse(body)).toMatchObject([
      { actionType: "DELETE", accountId: "333333", authUser: { userName: "ana@example.com" } },
      { actionType: "CREATE" },
    ]);
    expect(body).not.toContain(token);
    expect(JSON.parse((await search({ ...criteria, auditActions: ["CREATE"] })).body)).toHaveLength(1);
    expect(JSON.parse((await search({ ...criteria, ascOrDesc: "ASCENDING" })).body)).toMatchObject([
      { actionType: "CREATE" },
      { actionType: "DELETE" },
    ]);
    expect((await search({ ...criteria, endDateTime: "2020-01-02T00:00:00+0000" })).body).toBe("[]");
    expect((await search({ ...criteria, searchEntities: ["User"] })).body).toBe("[]");
  });

  it("wants accountId, startDateTime and endDateTime, with an explicit offset", async () => {
    expect((await search(criteria)).status).toBe(200);
    for (const wrong of [
      { startDateTime: "2026-11-23T10:00:00.000Z" },
      { endDateTime: "2026-11-23T10:00:00Z" },
      { startDateTime: "2026-11-23T10:00:00.000" },
      { startDateTime: "2026-13-23T10:00:00.000+0000" },
      { startDateTime: undefined },
      { endDateTime: undefined },
      { accountId: undefined },
    ]) {
      expect((await search({ ...criteria, ...wrong })).status).toBe(400);
    }
  });

  it("is closed to users without audit log access, and for accounts of others", async () => {
    expect((await search(criteria, "parent@example.com")).status).toBe(403);
    expect((await search({ ...criteria, accountId: "444444" })).status).toBe(403);
  });
});

describe("the rate limit", () => {
  it("allows 120 calls in a rolling minute and user, and says nothing of when to come back", async () => {
    const headers = await client.bearer();
    const other = await client.bearer("other@example.com");
    const statuses = new Set<number>();
    for (let call = 0; call < 120; call += 1) statuses.add((await client.call("GET", TOKENS, headers)).status);
    expect([...statuses]).toEqual([200]);
    const refused = await client.call("GET", TOKENS, headers);
    expect(refused).toMatchObject({ status: 429, body: "Too Many Requests" });
    expect(refused.headers.has("retry-after")).toBe(false);
    const [token = ""] = await client.tokens();
    expect((await client.call("GET", TOKENS, xAuth(token))).status).toBe(429);
    expect((await client.call("GET", TOKENS, other)).status).toBe(200);
    await client.control("POST", "clock", { advanceSeconds: 40 });
    expect((await client.call("GET", TOKENS, headers)).status).toBe(429);
    await client.control("POST", "clock", { advanceSeconds: 20 });
    expect((await client.call("GET", TOKENS, headers)).status).toBe(200);
  });

  it("takes no effect, counts the nameless by address, and can name a time", async () => {
    await client.control("POST", "config", { rateLimit: 1, retryAfter: true });
    const headers = await client.bearer();
    expect((await client.call("POST", TOKENS, headers)).status).toBe(200);
    const refused = await client.call("POST", TOKENS, headers);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
    expect(await client.tokens()).toHaveLength(4);
    expect((await client.call("GET", TOKENS, xAuth("aws80:dead"))).status).toBe(401);
    expect((await client.call("GET", TOKENS, xAuth("aws80:dead"))).status).toBe(429);
  });
});
