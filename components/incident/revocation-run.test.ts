import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type RunTarget, runRevocation } from "@/components/incident/revocation-run";

const incident = "0b7a2c1e-1111-4222-8333-444455556666";
const summary = {
  type: "summary",
  incident,
  outcome: "contained",
  total: 1,
  revoked: 1,
  alreadyDead: 0,
  alive: 0,
  unknown: 0,
  secondsToProof: 1,
  logged: true,
};
const ndjson = { "content-type": "application/x-ndjson" };
const lines = (text: string, headers: Record<string, string> = {}) =>
  new Response(text, { headers: { ...ndjson, ...headers } });
const whole = () => lines(`${JSON.stringify(summary)}\n`);

/** What was asked for, and what it is answered, one after the other. */
let asked: string[];
let answers: (() => Response)[];

beforeEach(() => {
  asked = [];
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    return (answers.shift() ?? whole)();
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function run(target: RunTarget, ...given: (() => Response)[]) {
  answers = given;
  const ended = runRevocation({
    target,
    signal: new AbortController().signal,
    onStep: () => {},
    onPace: () => {},
    onBroken: () => {},
  });
  await vi.advanceTimersByTimeAsync(10_000);
  return ended;
}

test("what names a case is never more than a part of an address", async () => {
  await run({ incident: "../tokens/abc/rotate#" });
  expect(asked).toEqual(["/api/incidents/..%2Ftokens%2Fabc%2Frotate%23/follow"]);
});

test.each([
  [`/api/incidents/${incident}/follow`, `/api/incidents/${incident}/follow`],
  ["/api/incidents/../tokens/abc/rotate", "/api/tokens/revoke"],
  [`/api/incidents/${incident}/follow/../../../tokens/abc/rotate`, "/api/tokens/revoke"],
  ["https://example.com/api/incidents/x/follow", "/api/tokens/revoke"],
])("a broken run at %s is found again at %s", async (place, again) => {
  const target = { tokens: { ids: ["a"], reason: null } };
  expect(await run(target, () => lines("", { "content-location": place }))).toMatchObject({ summary });
  expect(asked).toEqual(["/api/tokens/revoke", again]);
});

test("an answer that is none of ours ends it, and is not asked for again", async () => {
  const page = () => new Response("<html>sign in</html>", { headers: { "content-type": "text/html" } });
  const json = () => Response.json({ token: {}, value: "secret" });
  for (const answer of [page, json]) {
    asked = [];
    expect(await run({ incident }, answer)).toMatchObject({ failure: { code: "unreadable" } });
    expect(asked).toHaveLength(1);
  }
});
