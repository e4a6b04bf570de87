import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readEvents } from "@/lib/audit/reading";
import { auditQuerySchema } from "@/lib/audit/schema";
import { closeDatabase, read, write } from "@/lib/db/client";
import { env } from "@/lib/env";
import { type Manager, resendNotification, sendTestMessage, viewNotifications } from "@/lib/notify/deliveries";
import { deliverDue } from "@/lib/notify/delivery";
import { messagesFor } from "@/lib/notify/messages";
import { notify } from "@/lib/notify/notify";
import { heldRows, type OutboxRow, rowOf, store, tidy } from "@/lib/notify/outbox";
import { receivers } from "@/lib/notify/receivers";
import type { NotifyEvent } from "@/lib/notify/schema";
import { runModule } from "@/test/child";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { captureLog, until } from "@/test/process";
import { type Asked, startUpstream, type Upstream } from "@/test/upstream";

const secret = "a webhook secret of the tests, 32+";
const tenant = "https://ringcx.example.com|333333";
const minute = 60_000;
const created: NotifyEvent = {
  type: "token.created",
  tenant,
  actor: "ana@example.com",
  tokenId: "abcdefghijklmnopqrstuv",
  hint: "aws80:…c0a9",
  label: "IVR",
};

/** How the receiver answers from now on. */
type Answer = Parameters<typeof startUpstream>[0];
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(code, headers).end("what a receiver says is of no interest");
  };

let database: TestDatabase;
let hook: Upstream;
let slack: Upstream;
let answerHook: Answer;
let answerSlack: Answer;

/** Starts anew with an empty database and both receivers. */
async function useReceivers(kind: (typeof databaseKinds)[number]): Promise<void> {
  for (const name of ["held", "delivery"]) {
    delete (globalThis as Record<symbol, unknown>)[Symbol.for(`tokendesk.notify.${name}`)];
  }
  answerHook = status(204);
  answerSlack = status(200);
  hook = await startUpstream((asked, response, nth) => answerHook(asked, response, nth));
  slack = await startUpstream((asked, response, nth) => answerSlack(asked, response, nth));
  database = await useDatabase(kind, {
    NOTIFY_WEBHOOKS: `${hook.url}/hook?key=in-the-address`,
    NOTIFY_WEBHOOK_SECRET: secret,
    NOTIFY_SLACK_WEBHOOKS: `${slack.url}/services/T0/B0/secret-path`,
    APP_URL: "https://tokendesk.example.com",
  });
}

async function end(): Promise<void> {
  // A round that is under way would find the next test's receivers.
  await deliverDue();
  await Promise.all([hook.close(), slack.close()]);
  await database.remove();
}

const rows = (channel: string): Promise<OutboxRow[]> =>
  read((db) =>
    db.selectFrom("notifications").selectAll().where("channel", "=", channel).orderBy("created_at").execute(),
  );

async function onlyRow(channel = "webhook"): Promise<OutboxRow> {
  const [row, ...more] = await rows(channel);
  expect(more).toEqual([]);
  if (!row) throw new Error(`there is no row for ${channel}`);
  return row;
}

/** As if that much time had gone by since. */
const makeDue = () =>
  write("test", (trx) =>
    trx.updateTable("notifications").set({ next_at: 0, held_until: 0 }).where("state", "=", "pending").execute(),
  );

const bodyOf = ({ body }: Asked) => JSON.parse(body) as { id: string; type: string; data: Record<string, unknown> };
const last = ({ asked }: Upstream): Asked => asked.at(-1) ?? expect.unreachable("the receiver was not called");

/** The function of docs/notifications.md, as people copy it. */
async function documented(): Promise<
  (secret: string, headers: Asked["headers"], body: string, now?: number) => boolean
> {
  const [, code = ""] = /```js\n([\s\S]*?)```/.exec(readFileSync("docs/notifications.md", "utf8")) ?? [];
  return (await import(`data:text/javascript,${encodeURIComponent(code)}`)).isFromTokendesk;
}

describe.each(databaseKinds)("on %s", (kind) => {
  beforeEach(() => useReceivers(kind));
  afterEach(end);

  test("an event goes to each receiver, signed as the documentation verifies it", async () => {
    await notify(created);
    await deliverDue();
    expect(hook.asked).toHaveLength(1);
    const { method, url, headers, body } = last(hook);
    expect({ method, url }).toEqual({ method: "POST", url: "/hook?key=in-the-address" });
    expect(headers["content-type"]).toBe("application/json");
    expect(headers["user-agent"]).toMatch(/^Tokendesk\/\d/);
    const { id } = await onlyRow();
    expect(headers["webhook-id"]).toBe(id);
    const { type: _, tenant: __, ...data } = created;
    expect(JSON.parse(body)).toEqual({
      id,
      type: "token.created",
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      installation: "https://tokendesk.example.com",
      tenant,
      data,
    });

    const verify = await documented();
    expect(verify(secret, headers, body)).toBe(true);
    expect(verify(secret, headers, `${body} `)).toBe(false);
    expect(verify("another secret, which is as long as it", headers, body)).toBe(false);
    expect(verify(secret, { ...headers, "webhook-id": "msg_other" }, body)).toBe(false);
    expect(verify(secret, { ...headers, "webhook-timestamp": undefined }, body)).toBe(false);
    expect(verify(secret, headers, body, Date.now() + 6 * minute)).toBe(false);

    expect(slack.asked).toHaveLength(1);
    expect(JSON.parse(last(slack).body)).toEqual({
      text: "ana@example.com created the token “IVR” (aws80:…c0a9). <https://tokendesk.example.com/tokens/abcdefghijklmnopqrstuv|Open in Tokendesk>",
      unfurl_links: false,
      unfurl_media: false,
    });
    expect(last(slack).headers["webhook-signature"]).toBeUndefined();
    for (const channel of ["webhook", "slack"]) {
      expect(await onlyRow(channel)).toMatchObject({ state: "sent", attempts: 1, trouble: null });
    }
  });

  test("a receiver that fails and comes back gets the same message, under a signature of the new moment", async () => {
    answerHook = status(500);
    await notify(created);
    await deliverDue();
    const waits: number[] = [];
    for (let failures = 1; failures <= 7; failures += 1) {
      const row = await onlyRow();
      expect(row).toMatchObject({ state: "pending", attempts: failures, trouble: "Answered 500", held_until: 0 });
      waits.push(row.next_at - Date.now());
      // Not before its time.
      await deliverDue();
      expect(hook.asked).toHaveLength(failures);
      await makeDue();
      if (failures === 7) answerHook = status(200);
      await deliverDue();
    }
    const expected = [10_000, minute, 5 * minute, 30 * minute, 120 * minute, 360 * minute, 720 * minute];
    for (const [nth, wait] of waits.entries()) {
      const aim = expected[nth] ?? Number.NaN;
      expect(wait).toBeGreaterThan(aim * 0.8 - 2_000);
      expect(wait).toBeLessThanOrEqual(aim * 1.2);
    }
    expect(await onlyRow()).toMatchObject({ state: "sent", attempts: 8, trouble: null });
    expect(new Set(hook.asked.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(hook.asked.map(({ body }) => body)).size).toBe(1);
    const verify = await documented();
    expect(hook.asked.every(({ headers, body }) => verify(secret, headers, body))).toBe(true);
  });

  test("after the eighth failure a message is given up, and can be sent again", async () => {
    answerHook = status(503);
    await notify(created);
    await deliverDue();
    for (let nth = 2; nth <= 8; nth += 1) {
      await makeDue();
      await deliverDue();
    }
    const row = await onlyRow();
    expect(row).toMatchObject({ state: "dead", attempts: 8, trouble: "Answered 503" });
    expect(row.settled_at).not.toBeNull();
    await makeDue();
    await deliverDue();
    expect(hook.asked).toHaveLength(8);

    const view = await viewNotifications(ops);
    expect(view.deadTotal).toBe(1);
    expect(view.dead).toEqual([
      expect.objectContaining({ id: row.id, type: "token.created", trouble: "Answered 503", nextAt: null }),
    ]);
    expect(await resendNotification(ops, row.id)).toEqual({ trouble: "Answered 503" });
    expect(await onlyRow()).toMatchObject({ state: "pending", attempts: 1 });
    await expect(resendNotification(ops, row.id)).rejects.toMatchObject({ code: "not_found" });
    answerHook = status(200);
    await makeDue();
    await deliverDue();
    expect((await viewNotifications(ops)).dead).toEqual([]);
    expect(await onlyRow()).toMatchObject({ state: "sent" });
    expect(new Set(hook.asked.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([row.id]));

    const { events } = await readEvents(ops, auditQuerySchema.parse({ action: "notification.resend" }));
    expect(events.map(({ outcome, details }) => ({ outcome, details })).reverse()).toEqual([
      { outcome: "attempted", details: { message: row.id } },
      { outcome: "succeeded", details: { message: row.id, type: "token.created", arrived: false } },
      { outcome: "attempted", details: { message: row.id } },
      { outcome: "failed", details: { message: row.id, code: "not_found" } },
    ]);
  });

  test.each([
    [400, "dead"],
    [401, "dead"],
    [404, "dead"],
    [410, "dead"],
    [302, "pending"],
    [408, "pending"],
    [425, "pending"],
    [429, "pending"],
    [502, "pending"],
  ])("an answer of %i leaves a message %s", async (code, state) => {
    const elsewhere = `${slack.url}/elsewhere`;
    answerHook = status(code, { location: elsewhere });
    await notify(created);
    await deliverDue();
    const row = await onlyRow();
    expect(row.state).toBe(state);
    expect(row.trouble).toContain(`Answered ${code}`);
    // Not followed.
    expect(slack.asked.map(({ url }) => url)).toEqual(["/services/T0/B0/secret-path"]);
  });

  test("a receiver that wants to be left alone is, up to an hour", async () => {
    answerHook = status(429, { "retry-after": "120" });
    await notify(created);
    await deliverDue();
    expect((await onlyRow()).next_at).toBeGreaterThan(Date.now() + 2 * minute - 2_000);
    await makeDue();
    await notify({ ...created, label: "another" });
    await deliverDue();
    // Nothing else is sent there meanwhile either.
    expect(hook.asked).toHaveLength(1);

    answerSlack = status(503, { "retry-after": new Date(Date.now() + 48 * 60 * minute).toUTCString() });
    await notify({ ...created, label: "a third" });
    await deliverDue();
    const held = (await rows("slack")).find(({ state }) => state === "pending");
    expect(held?.next_at).toBeGreaterThan(Date.now() + 59 * minute);
    expect(held?.next_at).toBeLessThanOrEqual(Date.now() + 60 * minute);
  });

  test("what is told once is told once, whoever tells it", async () => {
    const unusual: NotifyEvent = {
      type: "incident.unusual_volume",
      tenant,
      actor: "ana@example.com",
      tokens: 60,
      limit: 50,
    };
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 12, 10), toFake: ["Date"] });
    try {
      await Promise.all([notify(unusual), notify({ ...unusual, tokens: 61 })]);
      await notify({ ...unusual, actor: "ben@example.com" });
      expect(await rows("webhook")).toHaveLength(2);
      vi.setSystemTime(Date.UTC(2026, 10, 23, 13, 10));
      await notify(unusual);
      expect(await rows("webhook")).toHaveLength(3);
      await deliverDue();
    } finally {
      vi.useRealTimers();
    }
  });

  test("while the database is away messages go out from memory, and stand in the list afterwards", async () => {
    const { databaseUrl } = env();
    const file = join(database.folder, "tokendesk.db");
    await notify({ ...created, label: "before" });
    await deliverDue();
    if (kind === "postgres") {
      await closeDatabase();
      const url = new URL(databaseUrl ?? "");
      url.port = "1";
      Object.assign(env(), { databaseUrl: url.href });
    } else for (const ending of ["", "-wal", "-shm"]) renameSync(file + ending, `${file}.away${ending}`);
    answerSlack = status(500);

    await notify({ ...created, label: "meanwhile" });
    await deliverDue();
    expect(bodyOf(last(hook)).data.label).toBe("meanwhile");
    expect(slack.asked).toHaveLength(2);

    if (kind === "postgres") {
      await closeDatabase();
      Object.assign(env(), { databaseUrl });
    } else for (const ending of ["", "-wal", "-shm"]) renameSync(`${file}.away${ending}`, file + ending);
    answerSlack = status(200);
    await deliverDue();
    await makeDue();
    await deliverDue();
    const labels = hook.asked.map((asked) => bodyOf(asked).data.label);
    expect(labels.filter((label) => label === "meanwhile")).toHaveLength(1);
    expect((await rows("webhook")).map(({ state, attempts }) => [state, attempts])).toEqual([
      ["sent", 1],
      ["sent", 1],
    ]);
    expect(slack.asked.map(({ body }) => body.includes("meanwhile"))).toEqual([false, true, true]);
    expect((await rows("slack")).map(({ state, attempts }) => [state, attempts])).toEqual([
      ["sent", 1],
      ["sent", 2],
    ]);
  });

  test("a process that dies between sending and writing that down: the message comes again, with the same ID", async () => {
    answerHook = (asked, response) => {
      // It is dead before it has its answer.
      process.kill(Number(bodyOf(asked).data.label), "SIGKILL");
      response.writeHead(200).end();
    };
    const ended = await runModule(
      `const { notify } = await import("@/lib/notify/notify");
       await notify({ ...${JSON.stringify(created)}, label: String(process.pid) });
       setTimeout(() => {}, 30_000);`,
      { variables: { ...database.variables }, timeoutMs: 20_000 },
    );
    expect(ended.timedOut).toBe(false);
    expect(await onlyRow()).toMatchObject({ state: "pending", attempts: 0 });
    expect((await onlyRow()).held_until).toBeGreaterThan(Date.now());
    answerHook = status(200);
    // Its lease holds: another process waits for the end of that.
    await deliverDue();
    expect(hook.asked).toHaveLength(1);
    await makeDue();
    await deliverDue();
    const [first, second, ...more] = hook.asked;
    expect(more).toEqual([]);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(second?.body).toBe(first?.body);
    expect(await onlyRow()).toMatchObject({ state: "sent" });
  });

  test("two processes that deliver at once never send the same message twice", async () => {
    const down = status(503);
    answerHook = down;
    answerSlack = down;
    for (let nth = 0; nth < 40; nth += 1) await notify({ ...created, label: `nth ${nth}` });
    await deliverDue();
    await makeDue();
    hook.asked.length = 0;
    const slow: Answer = (_, response) => void setTimeout(() => response.writeHead(200).end(), 20);
    answerHook = slow;
    answerSlack = slow;
    const deliver = `await (await import("@/lib/notify/delivery")).deliverDue();
      await (await import("@/lib/db/client")).closeDatabase();`;
    const both = await Promise.all([
      runModule(deliver, { variables: database.variables, timeoutMs: 20_000 }),
      runModule(deliver, { variables: database.variables, timeoutMs: 20_000 }),
    ]);
    expect(both.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: "" },
      { code: 0, stderr: "" },
    ]);
    const ids = hook.asked.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toHaveLength(40);
    expect(new Set(ids).size).toBe(40);
    expect((await rows("webhook")).every(({ state }) => state === "sent")).toBe(true);
    // Two processes start here, which takes its time beside others.
  }, 40_000);

  test("a message for nobody is given up after a while, and old ones are removed", async () => {
    await notify(created);
    await deliverDue();
    answerHook = status(410);
    await notify({ ...created, label: "refused" });
    await deliverDue();
    answerHook = status(500);
    await notify({ ...created, label: "waiting" });
    await deliverDue();
    await makeDue();
    const targets = receivers().map(({ target }) => target);
    const states = async () => (await rows("webhook")).map(({ state }) => state).sort();
    await tidy(targets, Date.now());
    expect(await states()).toEqual(["dead", "pending", "sent"]);
    // As a replica with another configuration sees it.
    Object.assign(env().notify, { webhooks: [] });
    await tidy(
      receivers().map(({ target }) => target),
      Date.now(),
    );
    const [orphan] = (await rows("webhook")).filter(({ payload }) => payload.includes("waiting"));
    expect(orphan).toMatchObject({ state: "dead", trouble: "Its receiver is not configured any more" });
    await expect(resendNotification(ops, orphan?.id ?? "")).rejects.toMatchObject({ code: "invalid_input" });
    expect((await viewNotifications(ops)).dead.map(({ receiver }) => receiver)).toEqual([null, null]);

    await tidy([], Date.now() + 31 * 24 * 60 * minute);
    expect(await states()).toEqual(["dead", "dead"]);
    await tidy([], Date.now() + 91 * 24 * 60 * minute);
    expect(await states()).toEqual([]);
  });

  test("ops see their own main account's messages, administrators also those of none, members nothing", async () => {
    answerHook = status(410);
    await notify(created);
    await notify({ ...created, tenant: "https://ringcx.example.com|444444" });
    await notify({ type: "access.denied_burst", tenant: null, address: "192.0.2.1", name: null, attempts: 10 });
    await deliverDue();
    const tenantsSeen = async (manager: Manager) =>
      (await viewNotifications(manager)).dead.map(({ type }) => type).sort();
    expect(await tenantsSeen(ops)).toEqual(["token.created"]);
    expect(await tenantsSeen(admin)).toEqual(["access.denied_burst", "token.created"]);
    const member: Manager = { ...ops, user: { id: "m", role: "member" } };
    await expect(viewNotifications(member)).rejects.toMatchObject({ code: "forbidden" });
    await expect(sendTestMessage(member)).rejects.toMatchObject({ code: "forbidden" });
    const burst = (await rows("webhook")).find(({ tenant: of }) => of === null);
    await expect(resendNotification(member, burst?.id ?? "")).rejects.toMatchObject({ code: "forbidden" });
    await expect(resendNotification(ops, burst?.id ?? "")).rejects.toMatchObject({ code: "not_found" });
    expect(await resendNotification(admin, burst?.id ?? "")).toEqual({ trouble: "Answered 410" });
    const shown = JSON.stringify(await viewNotifications(admin));
    expect(shown).toContain(hook.url);
    expect(shown).not.toMatch(/in-the-address|secret-path/);
  });
});

const actor = { tenant, id: "ops", name: "ops@example.com", address: null, userAgent: null, requestId: null };
const ops: Manager = { tenant, user: { id: "ops", role: "ops" }, actor };
const admin: Manager = { ...ops, user: { id: "ops", role: "admin" } };

describe("whatever the database", () => {
  beforeEach(() => useReceivers("sqlite"));
  afterEach(end);

  test("a receiver that hangs is left after ten seconds, and holds up no other", async () => {
    const asked: number[] = [];
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
      asked.push(ms);
      return timeout(300);
    });
    answerHook = () => {};
    await notify(created);
    await until(async () => (await onlyRow("slack")).state === "sent");
    expect((await onlyRow()).state).toBe("pending");
    expect((await onlyRow()).attempts).toBe(0);
    await deliverDue();
    expect(await onlyRow()).toMatchObject({ attempts: 1, trouble: "No answer within 10 seconds" });
    expect(new Set(asked)).toEqual(new Set([10_000]));
  });

  test("an answer without an end, and one that never ends, is an answer", async () => {
    answerHook = (_, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("x".repeat(100_000));
    };
    await notify(created);
    await deliverDue();
    expect(await onlyRow()).toMatchObject({ state: "sent" });
  });

  test("nothing that pings, links or formats gets from a label into Slack", async () => {
    const label =
      "<!channel> <@U123> <https://evil.example|safe> &lt;!here&gt; @here @everyone [x](https://evil.example)";
    await notify({ ...created, label });
    await deliverDue();
    const { text } = JSON.parse(last(slack).body) as { text: string };
    expect(text.match(/<[^>]*>/g)).toEqual([
      "<https://tokendesk.example.com/tokens/abcdefghijklmnopqrstuv|Open in Tokendesk>",
    ]);
    expect(text).toContain(
      "&lt;!channel&gt; &lt;@\u200BU123&gt; &lt;https:\u200B//evil.example|safe&gt; &amp;lt;!here&amp;gt;",
    );
    expect(text.match(/:\/\//g)).toHaveLength(1);
    expect(text).not.toMatch(/(?<![\w.])@\w/);
    expect(text).not.toContain("](");
    expect(text).toContain("ana@example.com");
  });

  test("no value gets out, whoever has typed it where", async () => {
    const value = "aws80:6f1c1a52-3a5e-4c39-9d0b-1f2e3d4cc0a9";
    await notify({ ...created, label: `IVR ${value}`, actor: value });
    await notify({ ...created, label: encodeURIComponent(value) });
    await deliverDue();
    const sent = [...hook.asked, ...slack.asked].map(({ body }) => body).join("\n");
    expect(hook.asked).toHaveLength(2);
    expect(sent).not.toContain("3a5e-4c39");
    expect(sent).toContain("aws80:…c0a9");
  });

  test("Slack is told of a run, not of each of its tokens; the webhook of all", async () => {
    const revoked = { ...created, type: "token.revoked", proof: "token_refused" } as const;
    await notify({ ...revoked, incident: "case" });
    await notify(revoked);
    await notify({
      type: "incident.finished",
      tenant,
      actor: "ana@example.com",
      incident: "case",
      outcome: "partial",
      revoked: 3,
      unproven: 1,
      secondsToProof: 42,
    });
    await deliverDue();
    expect(hook.asked.map((asked) => bodyOf(asked).type).sort()).toEqual([
      "incident.finished",
      "token.revoked",
      "token.revoked",
    ]);
    const texts = slack.asked.map(({ body }) => (JSON.parse(body) as { text: string }).text.replace(/ <.*/, ""));
    expect(texts.sort()).toEqual([
      "An incident is finished: 3 tokens were revoked with proof, the last of them after 42 s. 1 token is not proven dead; treat it as alive.",
      "ana@example.com revoked the token “IVR” (aws80:…c0a9): RingCX refuses it now.",
    ]);
  });

  test("a run that found nothing alive says so", async () => {
    const finished = { type: "incident.finished", tenant, actor: "ana@example.com", incident: "case" } as const;
    await notify({ ...finished, outcome: "contained", revoked: 0, unproven: 0, secondsToProof: 3 });
    await deliverDue();
    expect(slack.asked[0]?.body).toContain("An incident is finished: its tokens were dead already. <");
  });

  test("of what waits, single tokens come last", async () => {
    answerSlack = status(500);
    for (const label of ["1", "2", "3"]) await notify({ ...created, label });
    await notify({
      type: "incident.opened",
      tenant,
      actor: "ana@example.com",
      incident: "case",
      found: 3,
      origin: "desk",
    });
    await deliverDue();
    await makeDue();
    slack.asked.length = 0;
    answerSlack = status(200);
    await deliverDue();
    expect(slack.asked[0]?.body).toContain("opened an incident (at the incident desk): 3 tokens found");
    expect(slack.asked).toHaveLength(4);
  });

  test("a test message goes to all receivers once, and says what came of it", async () => {
    answerSlack = status(404);
    expect(await sendTestMessage(ops)).toEqual({
      results: [
        { receiver: { channel: "webhook", origin: hook.url, mark: expect.any(String) }, trouble: null },
        { receiver: { channel: "slack", origin: slack.url, mark: expect.any(String) }, trouble: "Answered 404" },
      ],
    });
    answerHook = status(500);
    await sendTestMessage(ops);
    expect((await rows("webhook")).map(({ state }) => state).sort()).toEqual(["dead", "sent"]);
    expect(JSON.parse(last(slack).body)).toMatchObject({
      text: "This is a test message, sent by ops@example.com. <https://tokendesk.example.com/settings|Open in Tokendesk>",
    });
    Object.assign(env().notify, { webhooks: [], slackWebhooks: [] });
    await expect(sendTestMessage(ops)).rejects.toMatchObject({ code: "invalid_input" });
  });

  test("the log says what happened, and no address", async () => {
    const log = captureLog();
    Object.assign(env(), { logLevel: "info" });
    answerHook = status(410);
    await slack.close();
    await notify(created);
    await deliverDue();
    await until(() => log.read().includes("ECONNREFUSED") && log.read().includes("given up"));
    log.stop();
    const lines = log.read();
    expect(lines).toContain("notification given up");
    expect(lines).toContain("Could not be reached (ECONNREFUSED)");
    expect(lines).not.toMatch(/in-the-address|secret-path|127\.0\.0\.1/);
    const everything = JSON.stringify([...(await rows("webhook")), ...(await rows("slack"))]);
    expect(everything).not.toMatch(/in-the-address|secret-path|127\.0\.0\.1/);
  });

  test("what waits in memory is bounded: the oldest is dropped, and the log says so", async () => {
    await closeDatabase();
    Object.assign(env(), { dataDir: "/dev/null/none" });
    const log = captureLog();
    Object.assign(env(), { logLevel: "error" });
    const flood = messagesFor(created, Date.now()).slice(0, 1);
    const waiting = flood.flatMap((message) =>
      Array.from({ length: 1_002 }, (_, nth) => rowOf({ ...message, id: `msg_${nth}` }, Date.now())),
    );
    await store(waiting);
    await until(() => log.read().match(/notification dropped/g)?.length === 2);
    log.stop();
    const target = receivers()[0]?.target ?? "";
    const kept = heldRows(target, 2_000, Date.now()).map(({ id }) => id);
    expect(kept).toHaveLength(1_000);
    expect(kept[0]).toBe("msg_2");
    delete (globalThis as Record<symbol, unknown>)[Symbol.for("tokendesk.notify.held")];
    Object.assign(env(), { dataDir: database.folder });
  });

  test("without receivers nothing is kept", async () => {
    Object.assign(env().notify, { webhooks: [], slackWebhooks: [] });
    await notify(created);
    await deliverDue();
    expect(await rows("webhook")).toEqual([]);
    expect(await viewNotifications(ops)).toEqual({ receivers: [], deliveries: [], dead: [], deadTotal: 0 });
  });
});
