/** From a leaked text to what it means, over HTTP: `POST /api/incidents/scan`. */
import { gzipSync } from "node:zlib";
import { expect, test } from "./fixtures.ts";
import { expectProblem, hintOf, type Reply, type Visitor } from "./visitor.ts";

const holder = "ana@example.com";
const elsewhere = "other@example.com";

type Finding = {
  id: string;
  tokenId: string;
  hint: string;
  line: number;
  places: { source: string | null; line: number; dress: string }[];
  count: number;
  status: string;
  why: string;
  user?: { login: string; roles: string[] };
  accounts?: { accountId: string }[];
  siblings?: { tokenId: string; hint: string; label: string | null; leaked: boolean }[];
  reach?: string;
  known: { label: string | null; owner: string; status: string } | null;
};
type Result = {
  incident: string | null;
  findings: Finding[];
  unchecked: number;
  recorded: boolean;
  truncated: boolean;
};

const scan = (person: Visitor, text: string) => person.post("/api/incidents/scan", { text });

function resultOf(reply: Reply): Result {
  expect(reply.status, reply.text).toBe(200);
  return reply.json<Result>();
}

/** A form as browsers send it. */
function formOf(text: string | null, files: { name: string; content: Uint8Array | string }[]): FormData {
  const form = new FormData();
  if (text !== null) form.set("text", text);
  for (const { name, content } of files) form.append("files", new Blob([content as BlobPart]), name);
  return form;
}

const sendForm = (person: Visitor, form: FormData) => person.post("/api/incidents/scan", form);

const deadValue = "aws80:00000000-1111-2222-3333-44444444dead";

test("a paste becomes findings: live with whose and what it reaches, dead, each once, with its lines", async ({
  visitor,
  sandbox,
}) => {
  await visitor.signIn(elsewhere);
  const [first = "", second = ""] = await sandbox.tokens(holder);
  const text = [
    "2026-11-22 03:01:12 POST https://example.com/?t=",
    `X-Auth-Token: ${first}`,
    `token=${encodeURIComponent(deadValue)}&again=${first}`,
    `{"token":"${second}"}`,
  ].join("\n");
  const headers = { "x-request-id": "00000000-0000-4000-8000-00000000beef" };
  const reply = await visitor.post("/api/incidents/scan", { text }, { headers });
  expect(reply.headers.get("x-request-id")).not.toBe(headers["x-request-id"]);
  const { findings, incident, unchecked, recorded } = resultOf(reply);
  expect(findings.map(({ hint, line, status, count }) => ({ hint, line, status, count }))).toEqual([
    { hint: hintOf(first), line: 2, status: "live", count: 2 },
    { hint: hintOf(deadValue), line: 3, status: "dead", count: 1 },
    { hint: hintOf(second), line: 4, status: "live", count: 1 },
  ]);
  expect(findings[0]).toMatchObject({
    user: { login: holder, roles: expect.arrayContaining(["SUPER_USER"]) },
    accounts: [{ accountId: "333334" }, { accountId: "333335" }, { accountId: "333336" }],
    reach: "Can do everything in 3 sub-accounts of RingForce.",
    // The inventory of another main account is none of this person's business.
    known: null,
  });
  expect(findings[0]?.siblings?.map(({ leaked }) => leaked)).toEqual([true, false]);
  expect(findings[1]).not.toHaveProperty("user");
  expect({ unchecked, recorded, incident: incident !== null }).toEqual({
    unchecked: 0,
    recorded: true,
    incident: true,
  });
  for (const value of await sandbox.tokens(holder)) expect(reply.text).not.toContain(value.slice(6));
  expect(reply.headers.get("cache-control")).toBe("no-store");
  // It does not pass through the proxy, which gives them to the others.
  expect(reply.headers.get("content-security-policy")).toContain("default-src 'none'");

  const log = await visitor.get("/api/audit?action=incident.scan");
  const requestId = reply.headers.get("x-request-id");
  expect(log.json<{ events: { outcome: string; details: object }[] }>().events).toMatchObject([
    { outcome: "succeeded", requestId, details: { tokens: 3, live: 2, dead: 1, unchecked: 0, incident } },
    { outcome: "attempted", requestId },
  ]);
});

test("the inventory says what is known of a token, also of a dead one", async ({ visitor }) => {
  await visitor.signIn(holder);
  const made = (await visitor.post("/api/tokens", { label: "IVR callback", environment: "production" })).json<{
    token: { id: string };
    value: string;
  }>();
  const lived = resultOf(await scan(visitor, made.value)).findings[0];
  expect(lived).toMatchObject({
    tokenId: made.token.id,
    status: "live",
    known: { label: "IVR callback", environment: "production", owner: "Ana Lima", status: "active" },
  });
  await visitor.delete(`/api/tokens/${made.token.id}`, { body: {} });
  const died = resultOf(await scan(visitor, `"${made.value}"`)).findings[0];
  expect(died).toMatchObject({ status: "dead", known: { label: "IVR callback", status: "revoked" } });
});

test("files come as a form: text, binary, packed; names are shown, never believed", async ({ visitor, sandbox }) => {
  await visitor.signIn(holder);
  const [first = "", second = "", third = ""] = await sandbox.tokens(holder);
  const form = formOf(`pasted ${first}`, [
    { name: "deploy.env", content: `A=1\nRINGCX=${second}\n` },
    { name: `../${third}.txt`, content: `${third}\n` },
  ]);
  const { findings } = resultOf(await sendForm(visitor, form));
  expect(findings.map(({ places }) => places[0])).toMatchObject([
    { source: null, line: 1 },
    { source: "deploy.env", line: 2 },
    { source: "file 2", line: 1 },
  ]);
  const packed = formOf(null, [{ name: "log.gz", content: gzipSync(`x\n${first}\n`) }]);
  expect(resultOf(await sendForm(visitor, packed)).findings).toMatchObject([{ hint: hintOf(first), status: "live" }]);
});

test("as NDJSON it says what was found before RingCX is asked, then each, then the result", async ({
  visitor,
  sandbox,
}) => {
  await visitor.signIn(holder);
  const values = await sandbox.tokens(holder);
  const reply = await visitor.post(
    "/api/incidents/scan",
    { text: values.join("\n") },
    { headers: { accept: "application/x-ndjson" } },
  );
  expect(reply.headers.get("content-type")).toBe("application/x-ndjson");
  const lines = reply.text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; findings?: Finding[]; finding?: Finding; checked?: number });
  const told = lines.filter(({ type }) => type !== "matching");
  expect(told.map(({ type }) => type)).toEqual(["found", "finding", "finding", "finding", "result"]);
  expect(told[0]?.findings?.map(({ status }) => status)).toEqual(["unchecked", "unchecked", "unchecked"]);
  expect(told.at(-1)?.findings?.map(({ status }) => status)).toEqual(["live", "live", "live"]);
  expect(told.map(({ checked }) => checked).slice(1, 4)).toEqual([1, 2, 3]);
  for (const value of values) expect(reply.text).not.toContain(value.slice(6));
});

test("a hanging RingCX is told as not checked, in time, and nothing is called dead", async ({
  launch,
  newVisitor,
  sandbox,
}) => {
  const app = await launch({ env: { RINGCX_TIMEOUT_MS: "2000" } });
  const person = await newVisitor(app).signIn(holder);
  const [value = ""] = await sandbox.tokens(holder);
  await sandbox.fault({ operation: "token.list", kind: "hang", count: -1 });
  const { findings, unchecked } = resultOf(await scan(person, value));
  expect(unchecked).toBe(1);
  expect(findings[0]).toMatchObject({ status: "unchecked", why: "Could not check: RingCX did not answer in time." });
});

test("nobody is let in who is not signed in, or comes from elsewhere, and RingCX hears nothing", async ({
  visitor,
  newVisitor,
  sandbox,
}) => {
  const [value = ""] = await sandbox.tokens(holder);
  await visitor.signIn(holder);
  await sandbox.clearJournal();
  expectProblem(await scan(newVisitor(), value), 401, "not_signed_in");
  for (const origin of [null, "null", "https://evil.example"]) {
    expectProblem(await visitor.post("/api/incidents/scan", { text: value }, { origin }), 403, "bad_origin");
  }
  expect(await sandbox.journal()).toEqual([]);
});

test("bad input gets a clear error that repeats nothing of it", async ({ visitor, sandbox }) => {
  await visitor.signIn(holder);
  const [value = ""] = await sandbox.tokens(holder);
  await sandbox.clearJournal();
  const replies = [
    await visitor.post("/api/incidents/scan", { text: "" }),
    await visitor.post("/api/incidents/scan", { text: 7 }),
    await visitor.post("/api/incidents/scan", { text: "x", [value]: 1 }),
    await visitor.post("/api/incidents/scan", `{"text":"${value}`, { headers: { "content-type": "application/json" } }),
    await visitor.post("/api/incidents/scan", value, { headers: { "content-type": "text/plain" } }),
    await sendForm(visitor, formOf(null, [])),
    await visitor.post("/api/incidents/scan", `--x\r\n${value}`, {
      headers: { "content-type": "multipart/form-data; boundary=x" },
    }),
  ];
  for (const reply of replies) {
    expectProblem(reply, 400, "invalid_input");
    expect(reply.text).not.toContain(value.slice(6));
  }
  const large = await visitor.post("/api/incidents/scan", { text: "x".repeat(20 * 1024 * 1024 + 1) });
  expectProblem(large, 413, "payload_too_large");
  const huge = await visitor.post("/api/incidents/scan", { text: "x".repeat(41 * 1024 * 1024) });
  expectProblem(huge, 413, "payload_too_large");
  expect(await sandbox.journal()).toEqual([]);
});

test("twenty megabytes without a token are looked through, and nothing is asked", async ({ visitor, sandbox }) => {
  await visitor.signIn(holder);
  await sandbox.clearJournal();
  const { findings, incident } = resultOf(await scan(visitor, "GET /index.html 200 127.0.0.1\n".repeat(650_000)));
  expect(findings).toEqual([]);
  expect(incident).toBeNull();
  expect(await sandbox.journal()).toEqual([]);
});
