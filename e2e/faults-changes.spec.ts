import type { Sandbox } from "../test/sandbox-control.ts";
import { details, everyFault } from "./faults.ts";
import { expect, test } from "./fixtures.ts";
import { expectProblem, hintOf, type ListedToken, type Reply, type Visitor } from "./visitor.ts";

const timeoutSeconds = 2;
test.use({ appEnv: { RINGCX_TIMEOUT_MS: String(timeoutSeconds * 1000) } });

const elsewhere = "/voice/api/v1/auth/isTokenValid?token=x";

/** A 429 pauses its user for a while: each of these is in one test only. */
const limitedUsers = [
  "child1@example.com",
  "child2@example.com",
  "other@example.com",
  "password@example.com",
  "parent@example.com",
];
const userFor = (kind: string) =>
  kind === "http429" ? (limitedUsers.shift() ?? "new@example.com") : "ana@example.com";

/** For a read it makes no difference whether the sandbox also carried it out. */
const proofFaults = everyFault(elsewhere)
  .filter(({ title }) => !title.endsWith("after the effect") && title !== "http429 without Retry-After")
  .map((fault) => ({ ...fault, title: fault.title.replace(" without effect", "") }))
  // Longer than the deadline: what is asked after it is refused before it is sent.
  .map((fault) =>
    fault.kind === "http429" ? { ...fault, input: { ...fault.input, retryAfter: timeoutSeconds + 1 } } : fault,
  );

for (const { title, kind, takesEffect, input } of everyFault(elsewhere)) {
  const created = ["latency", "wrongContentType", "quotedToken"].includes(kind);
  const refused = ["http429", "jwtExpired", "unauthorized"].includes(kind);
  const result = created ? "gives the token" : refused ? "creates nothing and says so" : "is unconfirmed";
  const username = userFor(kind);

  test(`token.create with ${title} is sent once and ${result}`, async ({ sandbox, visitor }) => {
    await visitor.signIn(username);
    const before = await sandbox.tokens(username);
    await sandbox.fault({ operation: "token.create", ...input, kind });
    const reply = await visitor.post("/api/tokens", { label: "CI" });

    expect(await sandbox.journal("token.create"), "exactly one POST").toMatchObject([{ effect: takesEffect }]);
    const appeared = (await sandbox.tokens(username)).filter((value) => !before.includes(value));
    expect(appeared).toHaveLength(takesEffect ? 1 : 0);
    if (created) {
      expect(reply.status, reply.text).toBe(201);
      expect(reply.json<{ value: string }>().value).toBe(appeared[0]);
    } else if (kind === "http429") {
      expect(expectProblem(reply, 503, "upstream_rate_limited").detail).toBe(
        `${details.upstream_rate_limited} Nothing was created.`,
      );
    } else if (refused) {
      expect(expectProblem(reply, 503, "upstream_unavailable").detail).toBe(
        "RingCX refused the request because the session was just being renewed. Try again. Nothing was created.",
      );
    } else {
      expectUnconfirmedCreation(reply, appeared);
    }
    expect((await visitor.get("/api/session")).status).toBe(200);
  });
}

function expectUnconfirmedCreation(reply: Reply, appeared: string[]): void {
  const problem = expectProblem(reply, 502, "creation_unconfirmed", ["candidates"]);
  const hints = appeared.map(hintOf);
  expect((problem.candidates as ListedToken[]).map(({ hint }) => hint)).toEqual(hints);
  const unclear = "RingCX did not say clearly whether it made a token, and Tokendesk never asks twice.";
  expect(problem.detail).toBe(
    hints.length === 0
      ? `${unclear} Nothing new is in the list so far; it may still appear.`
      : `${unclear} New in the list since: ${hints.join(", ")}. Reveal it to use it, or revoke it.`,
  );
  for (const value of appeared) expect(reply.text).not.toContain(value);
}

test("a creation whose answer is lost, with a list that cannot be read after it, is unconfirmed", async ({
  sandbox,
  visitor,
}) => {
  await visitor.signIn();
  await sandbox.fault({ operation: "token.create", kind: "resetAfter" });
  await sandbox.fault({ operation: "token.list", kind: "html502", count: -1, skip: 1 });
  const reply = await visitor.post("/api/tokens", { label: "CI" });
  const problem = expectProblem(reply, 502, "creation_unconfirmed", ["candidates"]);
  expect(problem.candidates).toEqual([]);
  expect(problem.detail).toContain("Its list cannot be read either.");
  expect(await sandbox.journal("token.create")).toHaveLength(1);
});

test("a creation is not sent when the list before it cannot be read", async ({ sandbox, visitor }) => {
  await visitor.signIn();
  await sandbox.fault({ operation: "token.list", kind: "html502", count: -1 });
  expectProblem(await visitor.post("/api/tokens", { label: "CI" }), 503, "upstream_unavailable");
  expect(await sandbox.journal("token.create")).toEqual([]);
});

/** Revokes the first token, and compares what is said with what the sandbox holds. */
async function revokeFirst(sandbox: Sandbox, visitor: Visitor, username: string) {
  const [token] = await visitor.tokens();
  if (!token) throw new Error("there is no token");
  const value = (await sandbox.tokens(username)).find((candidate) => hintOf(candidate) === token.hint) ?? "";
  return async () => {
    const reply = await visitor.delete(`/api/tokens/${token.id}`);
    const isGone = !(await sandbox.tokens(username)).includes(value);
    return { reply, isGone };
  };
}

const deletionDetails = {
  said: /^RingCX said that it deleted this token\. RingCX [^.]+\. Treat this token as alive and try again\.$/,
  refused:
    /^RingCX answered that it did not delete this token\. RingCX still accepts it\. Treat this token as alive and try again\.$/,
  unclear:
    /^RingCX did not confirm the deletion\. RingCX still accepts it\. Treat this token as alive and try again\.$/,
  // Who is told to wait asks for the proof within what is left of the time, or not at all.
  paused:
    /^RingCX did not confirm the deletion\. RingCX (still accepts it|gave no answer that would prove it dead)\. Treat this token as alive and try again\.$/,
};

for (const { title, kind, takesEffect, input } of everyFault(elsewhere)) {
  // A 401 means that RingCX did nothing: it is asked once more, with a new access token.
  const isGone = takesEffect || kind === "jwtExpired" || kind === "unauthorized";
  const username = userFor(kind);

  test(`token.delete with ${title} is ${isGone ? "revoked" : "not confirmed"}, as the sandbox has it`, async ({
    sandbox,
    visitor,
  }) => {
    await visitor.signIn(username);
    const revoke = await revokeFirst(sandbox, visitor, username);
    await sandbox.fault({ operation: "token.delete", ...input, kind });
    const result = await revoke();
    expect(result.isGone).toBe(isGone);
    if (isGone) {
      expect(result.reply.status, result.reply.text).toBe(200);
      expect(result.reply.json()).toMatchObject({ outcome: "revoked", proof: { method: "token_refused" } });
    } else {
      expect(expectProblem(result.reply, 502, "revocation_unconfirmed").detail).toMatch(
        kind === "false200" ? deletionDetails.refused : deletionDetails[kind === "http429" ? "paused" : "unclear"],
      );
    }
    expect(await sandbox.journal("isTokenValid"), "a redirect is not followed").toEqual([]);
  });
}

for (const { title, kind, input } of proofFaults) {
  const asked = ["latency", "unauthorized", "quotedToken", "malformedJson"].includes(kind);
  // The limit counts for the list too: nothing can be proven now.
  const method = kind === "http429" ? null : asked ? "token_refused" : "absent_from_list";
  const username = userFor(kind);

  test(`a deletion whose proof meets ${title} is ${method ? `revoked: ${method}` : "not confirmed"}`, async ({
    sandbox,
    visitor,
  }) => {
    await visitor.signIn(username);
    const revoke = await revokeFirst(sandbox, visitor, username);
    await sandbox.fault({ operation: "token.list", auth: "x-auth-token", count: -1, ...input, kind });
    const { reply, isGone } = await revoke();
    expect(isGone).toBe(true);
    if (method === null) {
      expect(expectProblem(reply, 502, "revocation_unconfirmed").detail).toMatch(deletionDetails.said);
    } else {
      expect(reply.status, reply.text).toBe(200);
      expect(reply.json()).toMatchObject({ outcome: "revoked", proof: { method } });
    }
  });
}

/** Each has a token, and no pause left. They revoke at the same time, since most of it is waiting for proofs. */
const askers = ["ana", "child2", "password", "parent", "grandchild", "noaccounts"].map((name) => `${name}@example.com`);

for (let from = 0; from < proofFaults.length; from += askers.length) {
  const faults = proofFaults.slice(from, from + askers.length);
  const titles = faults.map(({ title }) => title).join(", ");

  test(`a token that RingCX only says it deleted is not revoked by a proof that meets ${titles}`, async ({
    sandbox,
    newVisitor,
  }) => {
    const results = faults.map(async ({ title, kind, input }, index) => {
      const username = askers[index] ?? "";
      const visitor = await newVisitor().signIn(username);
      const revoke = await revokeFirst(sandbox, visitor, username);
      const untrue = { kind: "status", status: 200, body: "true", effect: false };
      await sandbox.fault({ operation: "token.delete", username, ...untrue });
      await sandbox.fault({ operation: "token.list", username, auth: "x-auth-token", count: -1, ...input, kind });
      const { reply, isGone } = await revoke();
      expect(isGone, title).toBe(false);
      expect(expectProblem(reply, 502, "revocation_unconfirmed").detail, title).toMatch(deletionDetails.said);
    });
    await Promise.all(results);
  });
}

test("with every proof out of reach nothing is called revoked, although the token is gone", async ({
  sandbox,
  visitor,
}) => {
  await visitor.signIn();
  const revoke = await revokeFirst(sandbox, visitor, "ana@example.com");
  await sandbox.fault({ operation: "token.list", kind: "html502", count: -1, skip: 1 });
  const { reply, isGone } = await revoke();
  expect(isGone).toBe(true);
  expect(expectProblem(reply, 502, "revocation_unconfirmed").detail).toMatch(deletionDetails.said);
});

test("RingCX may take a moment to forget a token that it deleted", async ({ sandbox, visitor }) => {
  await visitor.signIn();
  const revoke = await revokeFirst(sandbox, visitor, "ana@example.com");
  const stale = JSON.stringify(await sandbox.tokens("ana@example.com"));
  const contentType = "application/json;charset=UTF-8";
  for (const auth of ["x-auth-token", "bearer"]) {
    const skip = auth === "bearer" ? 1 : 0;
    await sandbox.fault({ operation: "token.list", kind: "status", status: 200, auth, skip, body: stale, contentType });
  }
  const { reply, isGone } = await revoke();
  expect(isGone).toBe(true);
  expect(reply.json()).toMatchObject({ outcome: "revoked", proof: { method: "token_refused" } });
});
