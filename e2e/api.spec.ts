import { expect, test } from "./fixtures.ts";
import { expectProblem, hintOf, type ListedToken, type Visitor } from "./visitor.ts";

const tokenMembers = [
  "id",
  "connection",
  "hint",
  "label",
  "purpose",
  "environment",
  "usedIn",
  "rotateBy",
  "owner",
  "firstSeenAt",
  "lastSeenAt",
  "createdHere",
  "appearedAt",
  "status",
  "order",
].sort();

const unknownId = "AAAAAAAAAAAAAAAAAAAAAA";

/** Every call of the API that wants a session. `{id}` stands for a token of Ana. */
const guarded = [
  ["GET", "/api/session"],
  ["GET", "/api/tokens"],
  ["POST", "/api/tokens", { label: "CI" }],
  ["PATCH", "/api/tokens/{id}", { label: "CI" }],
  ["DELETE", "/api/tokens/{id}"],
  ["POST", "/api/tokens/{id}/reveal"],
  ["POST", "/api/tokens/{id}/rotate"],
  ["POST", "/api/tokens/{id}/adopt", { label: "CI" }],
  ["POST", "/api/tokens/{id}/dismiss"],
  ["GET", "/api/rotations"],
  ["PATCH", "/api/rotations/{id}", { places: [] }],
  ["DELETE", "/api/rotations/{id}"],
  ["POST", "/api/team/orders", { tokenId: "{id}" }],
  ["DELETE", "/api/team/orders/{id}"],
  ["GET", "/api/sessions"],
  ["DELETE", "/api/sessions", { others: true }],
  ["DELETE", "/api/sessions/{id}"],
  ["GET", "/api/audit"],
  ["GET", "/api/audit/export?format=jsonl"],
  ["POST", "/api/audit/verify"],
  ["GET", "/api/notifications"],
  ["GET", "/api/keys"],
  ["POST", "/api/keys", { name: "CI" }],
  ["DELETE", "/api/keys/{id}"],
  ["POST", "/api/notifications/test"],
  ["POST", "/api/notifications/{id}/resend"],
  ["GET", "/api/accounts"],
] as const;

const mutations = guarded.filter(([method]) => method !== "GET");

async function firstToken(visitor: Visitor): Promise<ListedToken> {
  const [token] = await visitor.tokens();
  if (!token) throw new Error("there is no token");
  return token;
}

test("GET /api/session says who is signed in and how, and nothing more", async ({ sandbox, visitor }) => {
  await visitor.signIn();
  const reply = await visitor.get("/api/session");
  expect(reply.status).toBe(200);
  expect(reply.headers.get("content-type")).toBe("application/json");
  expect(reply.headers.get("cache-control")).toBe("no-store");
  const id = expect.stringMatching(/^[\w-]+$/);
  expect(reply.json()).toEqual({
    user: {
      id: expect.stringMatching(/^[\x21-\x7e]+$/),
      name: "Ana Lima",
      email: "ana@example.com",
      role: "member",
    },
    connections: [
      {
        id,
        kind: "ringcx",
        host: sandbox.url,
        username: "ana@example.com",
        platformId: "aws80",
        mainAccountId: "333333",
        name: "Ana Lima",
        state: "live",
        active: true,
        home: true,
      },
    ],
    workspaces: [{ id, tenant: `${new URL(sandbox.url).host}|333333`, connectionId: id }],
  });
});

test("GET /api/tokens lists each token by its hint, with the promised members and no value", async ({
  sandbox,
  visitor,
}) => {
  await visitor.signIn();
  const askedAt = Date.now();
  const reply = await visitor.get("/api/tokens");
  const answeredAt = Date.now();
  expect(reply.status).toBe(200);
  expect(reply.headers.get("cache-control")).toBe("no-store");
  const { tokens, fetchedAt, ...rest } = reply.json<{ tokens: ListedToken[]; fetchedAt: string }>();
  const [some, howMany] = [expect.any(Array), expect.any(Number)];
  const differences = { appeared: some, appearedTotal: howMany, vanished: some, vanishedTotal: howMany };
  const { connections } = (await visitor.get("/api/session")).json<{ connections: { id: string }[] }>();
  const { host, username, mainAccountId, id } = connections[0] as Record<string, unknown>;
  expect(rest).toEqual({
    ...{ inventory: "available", unreadable: 0, differences },
    connections: [{ id, host, username, mainAccountId, legacy: false, problem: null }],
  });
  expect(Date.parse(fetchedAt)).toBeGreaterThanOrEqual(askedAt);
  expect(Date.parse(fetchedAt)).toBeLessThanOrEqual(answeredAt);

  const values = await sandbox.tokens("ana@example.com");
  expect(tokens.map(({ hint }) => hint).sort()).toEqual(values.map(hintOf).sort());
  for (const token of tokens) {
    expect(Object.keys(token).sort()).toEqual(tokenMembers);
    expect(token.id).toMatch(/^[\w-]{8,}$/);
    expect(token.status).toBe("active");
    expect(token.connection).toBe(id);
    expect(token.owner).toBe("Ana Lima");
  }
  expect(new Set(tokens.map(({ id }) => id)).size).toBe(values.length);
  for (const value of values) expect(reply.text).not.toContain(value.slice(6, -4));

  const again = await visitor.tokens();
  expect(again.map(({ id }) => id).sort()).toEqual(tokens.map(({ id }) => id).sort());
});

test("POST /api/tokens makes one token, says what it is for, and gives its value once", async ({
  sandbox,
  visitor,
}) => {
  await visitor.signIn("new@example.com");
  const wanted = { label: "Nightly export", purpose: "CRM sync", environment: "production", rotateBy: "2030-01-31" };
  const reply = await visitor.post("/api/tokens", wanted);
  expect(reply.status, reply.text).toBe(201);
  expect(reply.headers.get("cache-control")).toBe("no-store");
  const created = reply.json<{ token: ListedToken; value: string }>();
  expect(Object.keys(created).sort()).toEqual(["token", "value"]);
  expect(Object.keys(created.token).sort()).toEqual(tokenMembers);
  expect(created.token).toMatchObject({ ...wanted, hint: hintOf(created.value), status: "active", createdHere: true });
  expect(await sandbox.tokens("new@example.com")).toEqual([created.value]);

  const list = await visitor.get("/api/tokens");
  expect(list.json<{ tokens: ListedToken[] }>().tokens).toMatchObject([{ ...wanted, id: created.token.id }]);
  expect(list.text).not.toContain(created.value);
});

test("PATCH /api/tokens/{id} changes what is said of a token, and asks RingCX for no change", async ({
  sandbox,
  visitor,
}) => {
  await visitor.signIn();
  const { id, hint } = await firstToken(visitor);
  const reply = await visitor.patch(`/api/tokens/${id}`, { label: "Warehouse", purpose: null });
  expect(reply.status, reply.text).toBe(200);
  const body = reply.json<{ token: ListedToken }>();
  expect(Object.keys(body)).toEqual(["token"]);
  expect(Object.keys(body.token).sort()).toEqual(tokenMembers);
  expect(body.token).toMatchObject({ id, hint, label: "Warehouse", purpose: null });
  expect((await visitor.tokens()).find((token) => token.id === id)?.label).toBe("Warehouse");
  expect((await sandbox.journal()).filter(({ effect, operation }) => effect && operation !== "login")).toEqual([]);
});

test("POST /api/tokens/{id}/reveal gives the value of that token", async ({ sandbox, visitor }) => {
  await visitor.signIn();
  const { id, hint } = await firstToken(visitor);
  const reply = await visitor.post(`/api/tokens/${id}/reveal`);
  expect(reply.status).toBe(200);
  expect(reply.headers.get("cache-control")).toBe("no-store");
  const value = (await sandbox.tokens("ana@example.com")).find((candidate) => hintOf(candidate) === hint);
  expect(reply.json()).toEqual({ value });
});

test("POST /api/tokens/{id}/rotate makes a successor and lets the old one live", async ({ sandbox, visitor }) => {
  await visitor.signIn("parent@example.com");
  const [before] = await sandbox.tokens("parent@example.com");
  const { id } = await firstToken(visitor);
  const reply = await visitor.post(`/api/tokens/${id}/rotate`, { label: "Successor" });
  expect(reply.status, reply.text).toBe(201);
  const rotated = reply.json<{ token: ListedToken; value: string; replaces: string }>();
  expect(Object.keys(rotated).sort()).toEqual(["replaces", "token", "value"]);
  expect(rotated.replaces).toBe(id);
  expect(rotated.token.hint).toBe(hintOf(rotated.value));
  expect(await sandbox.tokens("parent@example.com")).toEqual([before, rotated.value]);
});

test("DELETE /api/tokens/{id} revokes the token and says how that was proven", async ({ sandbox, visitor }) => {
  await visitor.signIn("child1@example.com");
  const { id, hint } = await firstToken(visitor);
  const askedAt = Date.now();
  const reply = await visitor.delete(`/api/tokens/${id}`, { body: { reason: "leaked in a ticket" } });
  const answeredAt = Date.now();
  expect(reply.status, reply.text).toBe(200);
  const { outcome, proof, ...rest } = reply.json<{ outcome: string; proof: { method: string; checkedAt: string } }>();
  expect(rest).toEqual({});
  expect(outcome).toBe("revoked");
  expect(Object.keys(proof).sort()).toEqual(["checkedAt", "method"]);
  expect(proof.method).toBe("token_refused");
  expect(Date.parse(proof.checkedAt)).toBeGreaterThanOrEqual(askedAt);
  expect(Date.parse(proof.checkedAt)).toBeLessThanOrEqual(answeredAt);
  expect((await sandbox.tokens("child1@example.com")).map(hintOf)).not.toContain(hint);
  expect((await visitor.tokens()).map((token) => token.hint)).not.toContain(hint);
  expectProblem(await visitor.delete(`/api/tokens/${id}`), 404, "token_not_found");
});

test("a token of somebody else, or none at all, is not found, and RingCX is asked for no change", async ({
  sandbox,
  newVisitor,
}) => {
  const olga = await newVisitor().signIn("other@example.com");
  const { id } = await firstToken(olga);
  const ana = await newVisitor().signIn();
  const revealed = await olga.post(`/api/tokens/${id}/reveal`);
  expect(revealed.status).toBe(200);
  await sandbox.clearJournal();
  for (const other of [id, unknownId, "a/b", "%00", "a".repeat(500)].map(encodeURIComponent)) {
    expectProblem(await ana.post(`/api/tokens/${other}/reveal`), 404, "token_not_found");
    expectProblem(await ana.post(`/api/tokens/${other}/rotate`), 404, "token_not_found");
    expectProblem(await ana.patch(`/api/tokens/${other}`, { label: "mine" }), 404, "token_not_found");
    expectProblem(await ana.delete(`/api/tokens/${other}`), 404, "token_not_found");
  }
  expect((await sandbox.journal()).filter(({ effect }) => effect)).toEqual([]);
  expect(await sandbox.tokens("other@example.com")).toHaveLength(2);
});

test("GET /api/accounts gives four members of each sub-account, and no secret of RingCX's object", async ({
  sandbox,
  visitor,
}) => {
  await visitor.signIn();
  const reply = await visitor.get("/api/accounts");
  expect(reply.status).toBe(200);
  expect(reply.headers.get("cache-control")).toBe("no-store");
  const main = { mainAccountId: "333333", mainAccountName: "RingForce" };
  expect(reply.json()).toEqual({
    accounts: [
      { accountId: "333334", accountName: "RingForce Sales", ...main },
      { accountId: "333335", accountName: "RingForce Support", ...main },
      { accountId: "333336", accountName: "RingForce Billing", ...main },
    ],
  });
  const { accountFields = [] } = await sandbox.secrets();
  expect(accountFields.length).toBeGreaterThan(0);
  for (const secret of accountFields) expect(reply.text).not.toContain(secret);
});

test("a user without accounts gets an empty list, and one with two main accounts gets both", async ({ newVisitor }) => {
  const noa = await newVisitor().signIn("noaccounts@example.com");
  expect((await noa.get("/api/accounts")).json()).toEqual({ accounts: [] });
  const maya = await newVisitor().signIn("many@example.com");
  const { accounts } = (await maya.get("/api/accounts")).json<{ accounts: { mainAccountName: string }[] }>();
  expect(accounts).toHaveLength(40);
  expect([...new Set(accounts.map(({ mainAccountName }) => mainAccountName))]).toEqual(["Northwind", "Southwind"]);
});

test("ten thousand tokens are listed, each with an id of its own", async ({ visitor }) => {
  await visitor.signIn("many@example.com");
  const tokens = await visitor.tokens();
  expect(new Set(tokens.map(({ id }) => id)).size).toBe(10_000);
});

test("what RingCX denies to a user is told as forbidden", async ({ visitor }) => {
  await visitor.signIn("denied@example.com");
  const detail = "RingCX says that your user may not do this. Ask a RingCX administrator for the permission.";
  for (const path of ["/api/tokens", "/api/accounts"]) {
    expect(expectProblem(await visitor.get(path), 403, "forbidden").detail).toBe(detail);
  }
  expect(expectProblem(await visitor.post("/api/tokens", { label: "CI" }), 403, "forbidden").detail).toBe(detail);
});

test("health and readiness answer anybody, and are not cached", async ({ visitor }) => {
  for (const [path, body] of [
    ["/api/health", { status: "ok" }],
    ["/api/ready", { status: "ready" }],
  ] as const) {
    const reply = await visitor.get(path);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    expect(reply.json()).toEqual(body);
  }
});

test("next-auth's own session names the person and holds no token", async ({ sandbox, newVisitor }) => {
  const stranger = await newVisitor().get("/api/auth/session");
  expect(stranger.json()).toEqual({});
  const ana = await newVisitor().signIn();
  const reply = await ana.get("/api/auth/session");
  expect(reply.json()).toEqual({
    user: { name: "Ana Lima", email: "ana@example.com" },
    expires: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
  const secrets = await sandbox.allSecrets();
  expect(secrets.filter((secret) => secret !== "sandbox" && reply.text.includes(secret))).toEqual([]);
});

for (const [method, path, body] of guarded) {
  test(`${method} ${path} refuses a stranger with 401 not_signed_in before anything else`, async ({
    sandbox,
    visitor,
  }) => {
    const call = { method, body: body && { ...body, unknown: true } };
    expectProblem(await visitor.send(path.replace("{id}", unknownId), call), 401, "not_signed_in");
    expect(await sandbox.journal()).toEqual([]);
  });
}

for (const [method, path, body] of mutations) {
  test(`${method} ${path} from another origin, from null or from nowhere is refused, RingCX untouched`, async ({
    app,
    sandbox,
    visitor,
  }) => {
    await visitor.signIn();
    const { id } = await firstToken(visitor);
    await sandbox.clearJournal();
    const port = new URL(app.origin).port;
    const origins = [
      null,
      "null",
      "",
      "https://evil.example",
      `${app.origin}.evil.example`,
      `${app.origin}/`,
      app.origin.replace("http:", "https:"),
      `http://localhost:${port}`,
      `http://127.0.0.1:${Number(port) + 1}`,
    ];
    for (const origin of origins) {
      const reply = await visitor.send(path.replace("{id}", id), { method, body, origin });
      expect(expectProblem(reply, 403, "bad_origin").detail).toBe(
        "Changes are accepted from Tokendesk's own pages only.",
      );
    }
    expect(await sandbox.journal()).toEqual([]);
  });
}

test("sign-in and sign-out from another origin, from null or from nowhere are refused, RingCX untouched", async ({
  sandbox,
  newVisitor,
}) => {
  for (const origin of [null, "null", "https://evil.example"]) {
    expectProblem(await newVisitor().attemptSignIn({}, { origin }), 403, "bad_origin");
  }
  expect(await sandbox.journal()).toEqual([]);

  const ana = await newVisitor().signIn();
  const { csrfToken } = (await ana.get("/api/auth/csrf")).json<{ csrfToken: string }>();
  await sandbox.clearJournal();
  for (const origin of [null, "null", "https://evil.example"]) {
    const form = new URLSearchParams({ csrfToken, json: "true" });
    expectProblem(await ana.post("/api/auth/signout", form, { origin }), 403, "bad_origin");
  }
  expect(await sandbox.journal()).toEqual([]);
  expect((await ana.get("/api/session")).status).toBe(200);
});

test("a sign-in without next-auth's own token is refused, RingCX untouched", async ({ sandbox, visitor }) => {
  const form = new URLSearchParams({ username: "ana@example.com", password: "sandbox", platformId: "aws80" });
  expectProblem(await visitor.post("/api/auth/callback/ringcx", form), 400, "invalid_input");
  expect(await sandbox.journal()).toEqual([]);
  expect([...visitor.cookies.keys()].filter((name) => name.startsWith("tokendesk"))).toEqual([]);
});

test("fields that nobody knows, missing ones and wrong ones are invalid input, RingCX untouched", async ({
  sandbox,
  visitor,
}) => {
  await visitor.signIn();
  const { id } = await firstToken(visitor);
  await sandbox.clearJournal();
  const attempts: [method: string, path: string, body: Record<string, unknown>, path: string][] = [
    ["POST", "/api/tokens", {}, "label"],
    ["POST", "/api/tokens", { label: "" }, "label"],
    ["POST", "/api/tokens", { label: "   " }, "label"],
    ["POST", "/api/tokens", { label: "x".repeat(101) }, "label"],
    ["POST", "/api/tokens", { label: ["CI"] }, "label"],
    ["POST", "/api/tokens", { label: "CI", rotateBy: "tomorrow" }, "rotateBy"],
    ["POST", "/api/tokens", { label: "CI", rotateBy: "2030-02-30" }, "rotateBy"],
    ["POST", "/api/tokens", { label: "CI", value: "aws80:mine" }, ""],
    ["POST", "/api/tokens", { label: "CI", __proto__x: 1 }, ""],
    ["PATCH", `/api/tokens/${id}`, { status: "revoked" }, ""],
    ["PATCH", `/api/tokens/${id}`, {}, ""],
    ["POST", `/api/tokens/${id}/rotate`, { reason: "old" }, ""],
    ["DELETE", `/api/tokens/${id}`, { why: "old" }, ""],
  ];
  for (const [method, path, body, member] of attempts) {
    const problem = expectProblem(await visitor.send(path, { method, body }), 400, "invalid_input", ["errors"]);
    const errors = problem.errors as { path: string; message: string }[];
    expect(errors.map((error) => error.path)).toContain(member);
  }
  expect(await sandbox.journal()).toEqual([]);
});

test("a body that is not JSON, or is not said to be, is invalid input", async ({ sandbox, visitor }) => {
  await visitor.signIn();
  await sandbox.clearJournal();
  const json = { "content-type": "application/json" };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  expectProblem(await visitor.post("/api/tokens", '{"label":', { headers: json }), 400, "invalid_input");
  expectProblem(await visitor.post("/api/tokens", '{"label":"CI"}', { headers: form }), 400, "invalid_input");
  expectProblem(await visitor.post("/api/tokens", "[]", { headers: json }), 400, "invalid_input", ["errors"]);
  expect(await sandbox.journal()).toEqual([]);
});

test("a body above 64 KB is too large, for a token as for a sign-in, RingCX untouched", async ({
  sandbox,
  newVisitor,
}) => {
  const ana = await newVisitor().signIn();
  await sandbox.clearJournal();
  expectProblem(await ana.post("/api/tokens", { label: "x".repeat(70_000) }), 413, "payload_too_large");
  const huge = { username: "ana@example.com", password: "x".repeat(70_000) };
  expectProblem(await newVisitor().attemptSignIn(huge), 413, "payload_too_large");
  expect(await sandbox.journal()).toEqual([]);
});

test("an address that the API does not have is a problem, not a page", async ({ visitor }) => {
  for (const path of ["/api/nothing", "/api/tokens/a/b/c"]) {
    expectProblem(await visitor.get(path), 404, "not_found");
  }
});

test("a method that an address does not have is a problem, not an empty answer", async ({ visitor }) => {
  await visitor.signIn();
  for (const [method, path, has] of [
    ["PUT", "/api/tokens", "GET, HEAD, POST"],
    ["DELETE", "/api/session", "GET, HEAD"],
    ["POST", "/api/accounts", "GET, HEAD"],
    ["GET", `/api/tokens/${unknownId}/reveal`, "POST"],
  ] as const) {
    const reply = await visitor.send(path, { method });
    expectProblem(reply, 405, "method_not_allowed");
    expect(reply.headers.get("allow")).toBe(has);
  }
});

test("no JSON but that of creation, reveal and rotation holds a token of RingCX", async ({ sandbox, visitor }) => {
  const texts: string[] = [];
  const noted = async (reply: Promise<{ text: string }>) => texts.push((await reply).text);
  await noted(visitor.attemptSignIn());
  await noted(visitor.attemptSignIn({ password: "wrong" }));
  const { id } = await firstToken(visitor);
  const created = (await visitor.post("/api/tokens", { label: "CI" })).json<{ value: string; token: ListedToken }>();
  for (const path of ["/api/session", "/api/tokens", "/api/accounts", "/api/auth/session", "/api/auth/providers"]) {
    await noted(visitor.get(path));
  }
  await noted(visitor.patch(`/api/tokens/${id}`, { label: "Warehouse" }));
  await noted(visitor.patch(`/api/tokens/${id}`, { label: 1 }));
  await noted(visitor.delete(`/api/tokens/${created.token.id}`));
  await noted(visitor.delete(`/api/tokens/${created.token.id}`));
  await noted(visitor.signOut());

  const { accessTokens = [], refreshTokens = [], apiTokens = [] } = await sandbox.secrets();
  expect(apiTokens).toContain(created.value);
  const all = texts.join("\n");
  expect([...accessTokens, ...refreshTokens, ...apiTokens].filter((secret) => all.includes(secret))).toEqual([]);
});
