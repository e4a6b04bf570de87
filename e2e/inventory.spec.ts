/** What Tokendesk remembers of tokens, over HTTP: what changed outside it, what people say of it, who may see it. */

import type { Sandbox } from "../test/sandbox-control.ts";
import { expect, test } from "./fixtures.ts";
import type { App } from "./servers.ts";
import { expectProblem, hintOf, type ListedToken, type Visitor } from "./visitor.ts";

const owner = "ana@example.com";
const ops = "new@example.com";
const colleague = "password@example.com";
const elsewhere = "other@example.com";

// The ops of Ana's main account, and those of another one.
test.use({ appEnv: { OPS_USERS: `${ops},${elsewhere}` } });

type Order = { id: string; orderedBy: string; orderedAt: string; reason: string | null; trouble: string | null };
type Remembered = ListedToken & { appearedAt: string | null; usedIn: string | null; order: Order | null };
type List = {
  tokens: Remembered[];
  inventory: string;
  unreadable: number;
  differences: { appeared: Remembered[]; appearedTotal: number; vanished: Remembered[]; vanishedTotal: number };
};

const aToken = "aws80:c2353445-bc74-af1a-2850-1d55a371c0a9";

async function look(person: Visitor): Promise<List> {
  const reply = await person.get("/api/tokens");
  expect(reply.status, reply.text).toBe(200);
  return reply.json<List>();
}

async function find(person: Visitor, value: string): Promise<Remembered> {
  const found = (await look(person)).tokens.find(({ hint }) => hint === hintOf(value));
  if (!found) throw new Error("the list does not show it");
  return found;
}

type Logged = {
  seq: number;
  action: string;
  outcome: string;
  token: { id: string; hint: string } | null;
  reason: string | null;
  actor: { id: string; name: string };
  details: Record<string, unknown>;
};

/** What the log says of a token, the oldest first. */
async function logOf(person: Visitor, id: string): Promise<Logged[]> {
  const reply = await person.get(`/api/audit?token=${id}`);
  expect(reply.status, reply.text).toBe(200);
  return reply.json<{ events: Logged[] }>().events.reverse();
}

const brief = (events: Logged[]) => events.map(({ action, outcome }) => `${action} ${outcome}`);

/**
 * The tests share the dashboard's memory, and each begins at RingCX's seed: what the others left is looked at, and
 * taken note of.
 */
async function settled(person: Visitor): Promise<void> {
  const { differences } = await look(person);
  for (const { id } of differences.vanished) {
    expect((await person.post(`/api/tokens/${id}/dismiss`)).status).toBe(200);
  }
  for (const { id } of differences.appeared) {
    expect((await person.post(`/api/tokens/${id}/adopt`, { label: "Seeded" })).status).toBe(200);
  }
}

async function signedIn(newVisitor: (app?: App) => Visitor, username: string): Promise<Visitor> {
  const person = await newVisitor().signIn(username);
  await settled(person);
  return person;
}

test("a token that appears outside is shown as a question, and adopted with a label", async ({
  sandbox,
  newVisitor,
}) => {
  const ana = await signedIn(newVisitor, owner);
  expect((await look(ana)).differences).toEqual({ appeared: [], appearedTotal: 0, vanished: [], vanishedTotal: 0 });

  const addedAt = Date.now();
  const value = await sandbox.addToken(owner);
  const { differences } = await look(ana);
  expect(differences.appearedTotal).toBe(1);
  const [appeared] = differences.appeared;
  expect(appeared).toMatchObject({ hint: hintOf(value), label: null, createdHere: false, status: "active" });
  expect(Date.parse(appeared?.appearedAt ?? "")).toBeGreaterThanOrEqual(addedAt);
  expect(Date.parse(appeared?.appearedAt ?? "")).toBeLessThanOrEqual(Date.now());
  expect(await find(ana, value)).toEqual(appeared);

  await sandbox.clearJournal();
  const about = { label: "Nightly export", usedIn: "exports.example.com", environment: "production" };
  const reply = await ana.post(`/api/tokens/${appeared?.id}/adopt`, about);
  expect(reply.status, reply.text).toBe(200);
  const { token } = reply.json<{ token: Remembered }>();
  expect(token).toMatchObject({ ...about, id: appeared?.id, appearedAt: null, createdHere: false });
  expect((await sandbox.journal()).filter(({ effect }) => effect)).toEqual([]);
  expect((await look(ana)).differences.appearedTotal).toBe(0);
  expect(await find(ana, value)).toMatchObject(about);
  const [event, ...more] = await logOf(ana, token.id);
  expect(more).toEqual([]);
  expect(event).toMatchObject({
    action: "token.adopt",
    outcome: "succeeded",
    token: { id: token.id, hint: hintOf(value) },
    actor: { name: owner },
    details: { label: "Nightly export" },
  });
});

test("what the first look at a list shows has not appeared: nobody knows how long it was there", async ({
  visitor,
}) => {
  await visitor.signIn("noaccounts@example.com");
  const { tokens, differences } = await look(visitor);
  expect(tokens).toMatchObject([{ appearedAt: null, createdHere: false }]);
  expect(differences.appearedTotal).toBe(0);
});

test("a token that is created here has not appeared", async ({ newVisitor }) => {
  const ana = await signedIn(newVisitor, owner);
  const created = (await ana.post("/api/tokens", { label: "CI" })).json<{ token: Remembered; value: string }>();
  expect(created.token).toMatchObject({ createdHere: true, appearedAt: null });
  expect((await look(ana)).differences.appearedTotal).toBe(0);
  expect(brief(await logOf(ana, created.token.id))).toEqual(["token.create succeeded"]);
});

test("a token that vanishes is told until its owner has taken note; one that was revoked here is not", async ({
  sandbox,
  newVisitor,
}) => {
  const ana = await signedIn(newVisitor, owner);
  const [first = "", second = ""] = await sandbox.tokens(owner);
  const vanished = await find(ana, first);
  const revoked = await find(ana, second);
  expect((await ana.delete(`/api/tokens/${revoked.id}`)).status).toBe(200);
  await sandbox.control("DELETE", "tokens", { value: first });

  const { tokens, differences } = await look(ana);
  expect(tokens.map(({ id }) => id)).not.toContain(vanished.id);
  expect(differences).toMatchObject({ vanishedTotal: 1, vanished: [{ id: vanished.id, status: "vanished" }] });
  const reply = await ana.post(`/api/tokens/${vanished.id}/dismiss`);
  expect(reply.status, reply.text).toBe(200);
  expect((await look(ana)).differences.vanishedTotal).toBe(0);
  expect(brief(await logOf(ana, vanished.id)).at(-1)).toBe("token.dismiss succeeded");
  expect(brief(await logOf(ana, revoked.id)).slice(-2)).toEqual(["token.revoke attempted", "token.revoke succeeded"]);
});

test("an edit keeps what it does not name, clears what it names as null, and says what it changed", async ({
  sandbox,
  newVisitor,
}) => {
  const ana = await signedIn(newVisitor, owner);
  const value = await sandbox.addToken(owner);
  const { id } = await find(ana, value);
  const whole = {
    label: "IVR",
    purpose: "Reads the queue\nevery minute",
    environment: "staging",
    usedIn: "ivr-1, ivr-2",
    rotateBy: "2030-01-31",
  };
  const edit = async (patch: Record<string, unknown>) => {
    const reply = await ana.patch(`/api/tokens/${id}`, patch);
    expect(reply.status, reply.text).toBe(200);
    return reply.json<{ token: Remembered }>().token;
  };
  expect(await edit(whole)).toMatchObject({ ...whole, appearedAt: null });
  const changed = { ...whole, purpose: null, usedIn: "ivr-3" };
  expect(await edit({ purpose: null, usedIn: "ivr-3" })).toMatchObject(changed);
  expect(await find(ana, value)).toMatchObject(changed);
  const events = await logOf(ana, id);
  expect(brief(events)).toEqual(["token.edit succeeded", "token.edit succeeded"]);
  expect(events[1]?.details.changed).toEqual(["purpose", "usedIn"]);
});

test("a token value is refused as anything that is written down, and RingCX is not asked", async ({
  sandbox,
  newVisitor,
}) => {
  const ana = await signedIn(newVisitor, owner);
  const boss = await signedIn(newVisitor, ops);
  const [{ id } = { id: "" }] = await ana.tokens();
  await sandbox.clearJournal();
  const spellings = [aToken, `for ${aToken}, live`, encodeURIComponent(aToken), aToken.toUpperCase()];
  for (const text of spellings) {
    const refusals = [
      await ana.post("/api/tokens", { label: text }),
      await ana.post("/api/tokens", { label: "CI", purpose: text }),
      await ana.post("/api/tokens", { label: "CI", environment: text.slice(0, 50) }),
      await ana.post("/api/tokens", { label: "CI", usedIn: text }),
      await ana.patch(`/api/tokens/${id}`, { label: text }),
      await ana.post(`/api/tokens/${id}/adopt`, { label: text }),
      await ana.post(`/api/tokens/${id}/rotate`, { label: text }),
      await ana.delete(`/api/tokens/${id}`, { body: { reason: text } }),
      await boss.post("/api/team/orders", { tokenId: id, reason: text }),
    ];
    for (const reply of refusals) {
      expectProblem(reply, 400, "invalid_input", ["errors"]);
      expect(reply.text.toLowerCase()).not.toContain("c2353445");
    }
  }
  expect(await sandbox.journal()).toEqual([]);
});

async function order(boss: Visitor, tokenId: string, reason?: string): Promise<Order> {
  const reply = await boss.post("/api/team/orders", { tokenId, ...(reason === undefined ? {} : { reason }) });
  expect(reply.status, reply.text).toBe(201);
  return reply.json<{ order: Order }>().order;
}

/** Waits until a value is gone at RingCX. */
function untilGone(sandbox: Sandbox, username: string, value: string): Promise<void> {
  return expect.poll(async () => (await sandbox.tokens(username)).includes(value), { intervals: [20] }).toBe(false);
}

test("an ordered revocation is carried out when its owner next looks, and recorded as theirs by order", async ({
  sandbox,
  newVisitor,
}) => {
  const pia = await signedIn(newVisitor, colleague);
  const boss = await signedIn(newVisitor, ops);
  const value = await sandbox.addToken(colleague);
  const { id } = await find(pia, value);
  await sandbox.clearJournal();
  const placed = await order(boss, id, "Pia leaves on Friday");
  expect(placed).toMatchObject({ orderedBy: ops, reason: "Pia leaves on Friday", trouble: null });
  expect(await order(boss, id, "again"), "a second order is the first one").toEqual(placed);
  expect(await sandbox.journal("token.delete")).toEqual([]);

  expect(await find(pia, value)).toMatchObject({ order: placed });
  await untilGone(sandbox, colleague, value);
  await expect
    .poll(async () => brief(await logOf(boss, id)), { intervals: [50] })
    .toEqual(["token.order succeeded", "token.revoke attempted", "token.revoke succeeded"]);
  const events = await logOf(boss, id);
  expect(events[0]).toMatchObject({ actor: { name: ops }, reason: "Pia leaves on Friday" });
  expect(events[2]).toMatchObject({
    actor: { name: colleague },
    reason: "Pia leaves on Friday",
    details: { order: placed.id, orderedBy: ops },
  });
  expect(await sandbox.journal("token.delete")).toHaveLength(1);
  expect((await look(pia)).differences.vanishedTotal).toBe(0);
  expectProblem(await boss.delete(`/api/team/orders/${placed.id}`), 404, "not_found");
  expectProblem(await boss.post("/api/team/orders", { tokenId: id }), 404, "token_not_found");
});

test("an order that fails is told with its trouble, and is still standing", async ({ sandbox, newVisitor }) => {
  const pia = await signedIn(newVisitor, colleague);
  const boss = await signedIn(newVisitor, ops);
  const value = await sandbox.addToken(colleague);
  const { id } = await find(pia, value);
  const placed = await order(boss, id);
  await sandbox.fault({ operation: "token.delete", kind: "false200" });
  await look(pia);
  await expect
    .poll(async () => (await find(pia, value)).order?.trouble, { intervals: [50] })
    .toMatch(/^RingCX answered that it did not delete this token\..*try again\.$/);
  expect(await sandbox.journal("token.delete"), "not tried at every look").toHaveLength(1);
  expect(brief(await logOf(boss, id)).slice(-2)).toEqual(["token.revoke attempted", "token.revoke unknown"]);
  expect((await boss.delete(`/api/team/orders/${placed.id}`)).status).toBe(200);
});

test("an order that is taken back is not carried out", async ({ sandbox, newVisitor }) => {
  const pia = await signedIn(newVisitor, colleague);
  const boss = await signedIn(newVisitor, ops);
  const value = await sandbox.addToken(colleague);
  const { id } = await find(pia, value);
  const placed = await order(boss, id);
  const taken = await boss.delete(`/api/team/orders/${placed.id}`);
  expect([taken.status, taken.json()]).toEqual([200, { cancelled: true }]);
  expectProblem(await boss.delete(`/api/team/orders/${placed.id}`), 404, "not_found");
  expect(await find(pia, value)).toMatchObject({ order: null });
  expect((await boss.delete("/api/team/orders/nonsense")).status).toBe(404);
  expect(brief(await logOf(boss, id))).toEqual(["token.order succeeded", "token.order_cancel succeeded"]);
  expect(await sandbox.journal("token.delete")).toEqual([]);
});

test("members neither order, nor take back, nor see the team, its log or its sessions", async ({
  sandbox,
  newVisitor,
}) => {
  const ana = await signedIn(newVisitor, owner);
  const pia = await signedIn(newVisitor, colleague);
  const boss = await signedIn(newVisitor, ops);
  const value = await sandbox.addToken(colleague);
  const { id, hint } = await find(pia, value);
  const placed = await order(boss, id);
  await sandbox.clearJournal();
  expectProblem(await ana.post("/api/team/orders", { tokenId: id }), 403, "forbidden");
  expectProblem(await ana.delete(`/api/team/orders/${placed.id}`), 403, "forbidden");
  expectProblem(await ana.get("/api/sessions?scope=team"), 403, "forbidden");
  expectProblem(await ana.post("/api/audit/verify"), 403, "forbidden");
  expect(await sandbox.journal()).toEqual([]);
  expect(await logOf(ana, id)).toEqual([]);
  for (const path of ["/team", `/tokens/${id}`, "/audit", "/overview"]) {
    const reply = await ana.get(path);
    expect(reply.text, path).not.toContain(hint);
    expect(reply.text, path).not.toContain("Pia");
  }
  expect((await boss.delete(`/api/team/orders/${placed.id}`)).status).toBe(200);
});

test("the ops of another main account see nothing, and change nothing", async ({ sandbox, newVisitor }) => {
  const ana = await signedIn(newVisitor, owner);
  const boss = await signedIn(newVisitor, ops);
  const olga = await signedIn(newVisitor, elsewhere);
  const value = await sandbox.addToken(owner);
  const { id, hint } = await find(ana, value);
  await ana.patch(`/api/tokens/${id}`, { label: "Only ours" });
  const placed = await order(boss, id);
  await sandbox.clearJournal();
  expectProblem(await olga.post("/api/team/orders", { tokenId: id }), 404, "token_not_found");
  expectProblem(await olga.delete(`/api/team/orders/${placed.id}`), 404, "not_found");
  expectProblem(await olga.patch(`/api/tokens/${id}`, { label: "Mine" }), 404, "token_not_found");
  expectProblem(await olga.post(`/api/tokens/${id}/adopt`, { label: "Mine" }), 404, "token_not_found");
  expectProblem(await olga.post(`/api/tokens/${id}/dismiss`), 404, "token_not_found");
  expect((await sandbox.journal()).filter(({ effect }) => effect)).toEqual([]);
  expect(await logOf(olga, id)).toEqual([]);
  for (const path of ["/team", "/team?q=Only", "/overview", "/audit", `/tokens/${id}`, "/tokens"]) {
    const reply = await olga.get(path);
    for (const fact of [hint, "Only ours", "Ana Lima", "RingForce"]) expect(reply.text, path).not.toContain(fact);
  }
  const { sessions } = (await olga.get("/api/sessions?scope=team")).json<{ sessions: { user: { name: string } }[] }>();
  expect([...new Set(sessions.map(({ user }) => user.name))]).toEqual([elsewhere]);
  // And those of this one see it.
  expect((await boss.get("/team?q=Only")).text).toContain(hint);
  expect((await boss.delete(`/api/team/orders/${placed.id}`)).status).toBe(200);
});
