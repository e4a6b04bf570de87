import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { inTime } from "@/lib/in-time";
import { UpstreamError } from "@/lib/ringcx/errors";
import { type Call, send } from "@/lib/ringcx/http";
import { everythingIn, freshProcess } from "@/test/process";
import { TestSandbox } from "@/test/sandbox";
import { sendJson, startRawUpstream, startUpstream, type Upstream } from "@/test/upstream";

type Behaviour = Parameters<typeof startUpstream>[0];
let behave: Behaviour;
let upstream: Upstream;

beforeAll(async () => {
  upstream = await startUpstream((...call) => behave(...call));
});

afterAll(() => upstream.close());

beforeEach(() => {
  upstream.asked.length = 0;
  fresh();
});

function fresh(variables: Record<string, string> = {}): void {
  freshProcess({ RINGCX_HOSTS: upstream.url, ...variables });
}

function call(overrides: Partial<Call<string>> = {}): Call<string> {
  return {
    operation: "test",
    host: upstream.url,
    method: "GET",
    path: "/path?secret=CANARY",
    parse: ({ body }) => body,
    kind: "read",
    ...overrides,
  };
}

async function caught(promise: Promise<unknown>): Promise<UpstreamError> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(UpstreamError);
    return error as UpstreamError;
  }
  throw new Error("it did not fail");
}

const ok: Behaviour = (_, response) => sendJson(response, "fine");

test.each([
  ['{"errorCode":"access.denied.exception","generalMessage":"No"}', true],
  ['{"error":"invalid_grant","error_description":"gone"}', true],
  ['{"message":"Forbidden"}', false],
  ['{"error":"Forbidden","status":403}', false],
  ['{"error":"temporarily_unavailable"}', false],
  ['["errorCode"]', false],
  ['{"errorCode":', false],
  ["Forbidden", false],
])("a refusal that says %s is RingCX's own word: %s", async (body, explained) => {
  behave = (_, response) => void response.writeHead(403, { "content-type": "application/json" }).end(body);
  expect(await caught(send(call()))).toMatchObject({ reason: "forbidden", explained });
});

describe("hosts", () => {
  test.each(["https://engage.ringcentral.com", "http://127.0.0.1:9", "", "//evil.example"])(
    "%j, which is not in RINGCX_HOSTS, is never contacted",
    async (host) => {
      const failed = await caught(send(call({ host })));
      expect(failed).toMatchObject({ failure: "terminal", reason: "rejected" });
    },
  );

  test("a name that only begins or ends like an allowed one is another host", async () => {
    const stranger = await startUpstream(ok);
    try {
      for (const host of [
        stranger.url,
        `${upstream.url}@${new URL(stranger.url).host}`,
        `${upstream.url}.evil.example`,
      ]) {
        await caught(send(call({ host })));
      }
      expect(stranger.asked).toHaveLength(0);
      expect(upstream.asked).toHaveLength(0);
    } finally {
      await stranger.close();
    }
  });

  test.each([301, 302, 303, 307, 308])(
    "a redirect (%i) is never followed, for a read and for an effect",
    async (status) => {
      const target = await startUpstream(ok);
      try {
        behave = (_, response) => {
          response.writeHead(status, { location: `${target.url}/stolen` });
          response.end();
        };
        expect(await caught(send(call()))).toMatchObject({ failure: "terminal", reason: "bad_response" });
        expect(await caught(send(call({ kind: "effect", method: "POST" })))).toMatchObject({ failure: "unknown" });
        expect(target.asked).toHaveLength(0);
        expect(upstream.asked).toHaveLength(2);
      } finally {
        await target.close();
      }
    },
  );

  test("nobody at the other end means that nothing was sent", async () => {
    const gone = await startUpstream(ok);
    await gone.close();
    fresh({ RINGCX_HOSTS: gone.url });
    const failed = await caught(send(call({ host: gone.url, kind: "effect", method: "POST" })));
    expect(failed).toMatchObject({ failure: "transient", reason: "unavailable" });
  });
});

describe("repetition", () => {
  test("a read is tried three times at most", async () => {
    behave = (_, response) => sendJson(response, {}, 503);
    expect(await caught(send(call()))).toMatchObject({
      failure: "transient",
      reason: "unavailable",
      upstreamStatus: 503,
    });
    expect(upstream.asked).toHaveLength(3);
  });

  test("a read that works at the third try is an answer", async () => {
    behave = (_, response, nth) => (nth < 3 ? sendJson(response, {}, 502) : sendJson(response, "fine"));
    expect(await send(call())).toBe('"fine"');
    expect(upstream.asked).toHaveLength(3);
  });

  test.each([500, 502, 503, 504, 429, 400, 401])("an effect is sent once, whatever comes (%i)", async (status) => {
    behave = (_, response) => sendJson(response, {}, status);
    await caught(send(call({ kind: "effect", method: "POST" })));
    expect(upstream.asked).toHaveLength(1);
  });

  test.each([400, 401, 403, 404])("a read that was refused (%i) is not repeated", async (status) => {
    behave = (_, response) => sendJson(response, {}, status);
    await caught(send(call()));
    expect(upstream.asked).toHaveLength(1);
  });

  test("effects use a connection of their own each: none dies with an old one", async () => {
    behave = ok;
    await send(call({ kind: "effect", method: "POST" }));
    await send(call({ kind: "effect", method: "POST" }));
    expect(upstream.asked.map(({ headers }) => headers.connection)).toEqual(["close", "close"]);
  });
});

describe("429", () => {
  const limited = { limit: { key: "user", priority: "interactive" as const } };
  const refuseOnce =
    (retryAfter?: string): Behaviour =>
    (_, response, nth) => {
      if (nth > 1) return sendJson(response, "fine");
      response.writeHead(429, retryAfter === undefined ? {} : { "retry-after": retryAfter });
      response.end("Too Many Requests");
    };

  test("with Retry-After in seconds, the next try comes after them and not before", async () => {
    behave = refuseOnce("1");
    const started = Date.now();
    expect(await send(call(limited))).toBe('"fine"');
    expect(Date.now() - started).toBeGreaterThanOrEqual(1_000);
  });

  test("with Retry-After as a date, too", async () => {
    // Whole seconds: a date that is two ahead is more than one away.
    behave = (...asked) => refuseOnce(new Date(Date.now() + 2_000).toUTCString())(...asked);
    const started = Date.now();
    expect(await send(call(limited))).toBe('"fine"');
    expect(Date.now() - started).toBeGreaterThanOrEqual(950);
  });

  test("without Retry-After it backs off and tries again", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    behave = refuseOnce();
    const started = Date.now();
    expect(await send(call(limited))).toBe('"fine"');
    expect(Date.now() - started).toBeGreaterThanOrEqual(100);
    expect(upstream.asked).toHaveLength(2);
  });

  test("a wait beyond the deadline is told at once, with its seconds, and the connection is held back", async () => {
    behave = refuseOnce("60");
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const failed = await inTime(caught(send(call(limited))), 2_000);
      expect(failed).toMatchObject({ reason: "rate_limited", code: "upstream_rate_limited", retryAfter: 60 });
      vi.setSystemTime(Date.now() + 10_000);
      const next = await inTime(caught(send(call(limited))), 2_000);
      expect(next).toMatchObject({ failure: "transient", reason: "rate_limited", retryAfter: 50 });
      expect(upstream.asked).toHaveLength(1);
      const others = send(call({ limit: { key: "somebody else", priority: "interactive" } }));
      expect(await inTime(others, 2_000)).toBe('"fine"');
    } finally {
      vi.useRealTimers();
    }
  });

  test.each(["soon", "999999999", "Wed, 01 Jan 2200 00:00:00 GMT"])(
    "a Retry-After that makes no sense (%s) is not believed",
    async (retryAfter) => {
      vi.spyOn(Math, "random").mockReturnValue(0);
      behave = refuseOnce(retryAfter);
      expect(await send(call(limited))).toBe('"fine"');
    },
  );

  test("without Retry-After the person is told how long nothing is sent now", async () => {
    fresh({ RINGCX_TIMEOUT_MS: "1000" });
    vi.spyOn(Math, "random").mockReturnValue(1);
    behave = refuseOnce();
    expect(await caught(send(call(limited)))).toMatchObject({ code: "upstream_rate_limited", retryAfter: 2 });
    const next = await caught(send(call(limited)));
    expect(next).toMatchObject({ code: "upstream_rate_limited", retryAfter: 2 });
    expect(upstream.asked).toHaveLength(1);
  });

  test("an effect that was refused with 429 did not happen, and holds the next one back", async () => {
    behave = refuseOnce("60");
    const effect = call({ ...limited, kind: "effect", method: "POST" });
    expect(await caught(send(effect))).toMatchObject({ failure: "transient", reason: "rate_limited" });
    expect(await caught(send(effect))).toMatchObject({ failure: "transient", reason: "rate_limited" });
    expect(upstream.asked).toHaveLength(1);
  });

  test("after a pause one call goes out alone; the others follow when it is answered with anything else", async () => {
    const sandbox = await TestSandbox.start();
    try {
      fresh({ RINGCX_HOSTS: sandbox.url });
      vi.spyOn(Math, "random").mockReturnValue(0.5);
      // All twelve that go out together, then two of those that go out alone.
      await sandbox.fault({ operation: "token.list", kind: "http429", retryAfter: 0, count: 14 });
      await sandbox.fault({ operation: "token.list", kind: "latency", ms: 200, skip: 14 });
      const value = await sandbox.mint();
      const one = call({
        host: sandbox.url,
        path: "/voice/api/v1/admin/token",
        headers: { "x-auth-token": value },
        limit: { key: "user", priority: "incident", patienceMs: 60_000 },
      });
      const answers = await Promise.all(Array.from({ length: 12 }, () => send(one)));
      expect(answers.every((answer) => answer.includes(value))).toBe(true);
      const asked = await sandbox.journal("token.list");
      expect(asked.map(({ status }) => status)).toEqual([
        ...Array<number>(14).fill(429),
        ...Array<number>(12).fill(200),
      ]);
      const since = (nth: number) => (asked[nth]?.at ?? 0) - (asked[nth - 1]?.at ?? 0);
      // A quarter of a second, half a second and one, less what is left to chance; then the answer that came.
      expect(since(12)).toBeGreaterThan(150);
      expect(since(13)).toBeGreaterThan(300);
      expect(since(14)).toBeGreaterThan(600);
      expect(since(15)).toBeGreaterThan(150);
    } finally {
      await sandbox.close();
    }
  });

  test("a patient call gives a RingCX up that has let nothing through for a quarter of an hour", async () => {
    const patient = call({ limit: { key: "user", priority: "incident", patienceMs: 90 * 60_000 } });
    try {
      vi.useFakeTimers({ toFake: ["Date"], shouldAdvanceTime: true });
      behave = (_, response, nth) => {
        if (nth === 3) vi.setSystemTime(Date.now() + 15 * 60_000);
        response.writeHead(429, { "retry-after": "0" }).end();
      };
      expect(await caught(send(patient))).toMatchObject({ failure: "transient", reason: "rate_limited" });
      expect(upstream.asked).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });

  test("the own budget is kept: what goes over it is refused without asking RingCX", async () => {
    fresh({ RINGCX_RATE_LIMIT: "2", RINGCX_TIMEOUT_MS: "1000" });
    behave = ok;
    await send(call(limited));
    await send(call(limited));
    const failed = await caught(send(call(limited)));
    expect(failed).toMatchObject({ failure: "transient", reason: "rate_limited", code: "upstream_rate_limited" });
    expect(failed.retryAfter).toBeGreaterThan(50);
    expect(upstream.asked).toHaveLength(2);
  });

  test("a retry counts against the budget like any other request", async () => {
    fresh({ RINGCX_RATE_LIMIT: "3", RINGCX_TIMEOUT_MS: "2000" });
    vi.spyOn(Math, "random").mockReturnValue(0);
    behave = (_, response) => sendJson(response, {}, 503);
    await caught(send(call(limited)));
    await caught(send(call(limited)));
    expect(upstream.asked).toHaveLength(3);
  });
});

describe("the deadline", () => {
  const hang: Behaviour = () => {};

  test.each(["read", "effect"] as const)("holds when nothing is answered to a %s", async (kind) => {
    fresh({ RINGCX_TIMEOUT_MS: "200" });
    behave = hang;
    const started = Date.now();
    const failed = await inTime(caught(send(call({ kind, method: kind === "read" ? "GET" : "POST" }))), 1_500);
    expect(failed).toMatchObject({ reason: "timeout", failure: kind === "read" ? "transient" : "unknown" });
    expect(Date.now() - started).toBeGreaterThanOrEqual(190);
  });

  test("holds when the body trickles", async () => {
    fresh({ RINGCX_TIMEOUT_MS: "300" });
    behave = (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(timer));
    };
    expect(await inTime(caught(send(call())), 1_500)).toMatchObject({ failure: "transient", reason: "timeout" });
  });

  test("covers all tries together", async () => {
    fresh({ RINGCX_TIMEOUT_MS: "600" });
    vi.spyOn(Math, "random").mockReturnValue(0);
    behave = (_, response) => {
      setTimeout(() => sendJson(response, {}, 503), 250);
    };
    expect(await inTime(caught(send(call())), 1_500)).not.toBeNull();
    expect(upstream.asked.length).toBeGreaterThan(1);
  });
});

describe("the answer", () => {
  test("a body above the cap is not read to its end", async () => {
    let written = 0;
    behave = (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const push = () => {
        while (written < 200_000_000 && !response.destroyed) {
          written += 65_536;
          if (!response.write("x".repeat(65_536))) return void response.once("drain", push);
        }
        response.end();
      };
      push();
    };
    expect(await caught(send(call({ maxBytes: 100_000 })))).toMatchObject({
      failure: "terminal",
      reason: "bad_response",
    });
    expect(written).toBeLessThan(50_000_000);
    expect(upstream.asked).toHaveLength(1);
  });

  test("a body of exactly the cap is read", async () => {
    behave = (_, response) => void response.end("x".repeat(1_000));
    expect(await send(call({ maxBytes: 1_000 }))).toHaveLength(1_000);
    expect(await caught(send(call({ maxBytes: 999 })))).toMatchObject({ reason: "bad_response" });
  });

  const said = ["aws80:Zoë", "b"];
  const plain = Buffer.from(JSON.stringify(said));

  test.each([
    ["gzip", gzipSync(plain)],
    ["x-gzip", gzipSync(plain)],
    ["GZIP", gzipSync(plain)],
    ["deflate", deflateSync(plain)],
    ["br", brotliCompressSync(plain)],
    ["deflate, gzip", gzipSync(deflateSync(plain))],
    ["identity", plain],
  ])("that a gateway has packed unasked (%s) is unpacked", async (encoding, body) => {
    behave = (_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding });
      response.end(body);
    };
    expect(JSON.parse(await send(call({ kind: "effect", method: "POST" })))).toEqual(said);
  });

  test.each([
    ["is no such thing", "gzip", plain],
    ["ends in the middle", "gzip", gzipSync(plain).subarray(0, -12)],
    ["is of a kind that nobody knows", "rot13", plain],
  ])("that is packed and %s is not trusted", async (_, encoding, body) => {
    behave = (_asked, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding });
      response.end(body);
    };
    expect(await caught(send(call()))).toMatchObject({ reason: "bad_response" });
    expect(await caught(send(call({ kind: "effect", method: "POST" })))).toMatchObject({
      failure: "unknown",
      reason: "bad_response",
    });
  });

  test("the cap is that of the unpacked body", async () => {
    behave = (_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(gzipSync("x".repeat(1_000)));
    };
    expect(await send(call({ maxBytes: 1_000 }))).toHaveLength(1_000);
    expect(await caught(send(call({ maxBytes: 999 })))).toMatchObject({ failure: "terminal", reason: "bad_response" });
  });

  test.each([
    ["with a byte order mark", "application/json", Buffer.concat([Buffer.from("\uFEFF"), plain])],
    ["in Latin-1, as it says", "application/json;charset=ISO-8859-1", Buffer.from(plain.toString(), "latin1")],
    ["in UTF-8, whatever it says", "application/json; charset=ISO-8859-1", plain],
    ["of a character set that nobody knows", 'application/json; charset="x-none"', plain],
  ])("%s is read", async (_, type, body) => {
    behave = (_asked, response) => {
      response.writeHead(200, { "content-type": type });
      response.end(body);
    };
    expect(JSON.parse(await send(call()))).toEqual(said);
  });

  test("what RingCX sent stays out of the error, even when it is no HTTP", async () => {
    const raw = await startRawUpstream(
      "HTTP/1.1 200 OK\r\nContent-Length: nonsense aws80:CANARY-VALUE\r\n\r\naws80:CANARY-VALUE",
    );
    try {
      fresh({ RINGCX_HOSTS: raw.url });
      const failed = await caught(send(call({ host: raw.url, kind: "effect", method: "POST" })));
      expect(failed).toMatchObject({ failure: "unknown", reason: "unavailable" });
      expect(everythingIn(failed)).not.toContain("CANARY");
    } finally {
      await raw.close();
    }
  });

  test("an answer that does not parse keeps its content out of the error", async () => {
    behave = (_, response) => void response.end('{"token": "CANARY"');
    const failed = await caught(send(call({ parse: ({ body }) => JSON.parse(body) as string })));
    expect(failed).toMatchObject({ failure: "transient", reason: "bad_response" });
    expect(everythingIn(failed)).not.toContain("CANARY");
  });
});
