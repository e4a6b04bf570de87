import { NextRequest } from "next/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { auditQuerySchema } from "@/lib/audit/schema";
import { clientAddress } from "@/lib/auth/address";
import { TokendeskError } from "@/lib/errors";
import { publicRoute } from "@/lib/http/route";
import { captureLog, freshProcess, until } from "@/test/process";

const origin = "https://tokendesk.example.com";
const context = { params: Promise.resolve({}) };
let calls: unknown[] = [];

beforeEach(() => {
  calls = [];
  freshProcess({ APP_URL: origin });
});

const echo = publicRoute(
  { name: "/api/echo", body: z.strictObject({ label: z.string().min(1) }) },
  async ({ body }) => {
    calls.push(body);
    return { body };
  },
);

function post(body: BodyInit | null, headers: Record<string, string> = {}): NextRequest {
  return new NextRequest(`${origin}/api/echo`, {
    method: "POST",
    body,
    headers: { origin, "content-type": "application/json", ...headers },
  });
}

describe("parameters", () => {
  const ask = async (parameters: string) => {
    const read = publicRoute({ name: "/api/read", query: auditQuerySchema }, async ({ query }) => query);
    return read(new NextRequest(`${origin}/api/read?${parameters}`), context);
  };

  test("are parsed, with their defaults", async () => {
    expect(await (await ask("limit=7&actor=u1")).json()).toEqual({ limit: 7, actor: "u1" });
    expect(await (await ask("")).json()).toEqual({ limit: 50 });
    expect(await (await ask("limit=1000")).json()).toEqual({ limit: 1000 });
  });

  test.each([
    ["unknown=1", "Unknown parameter: unknown"],
    ["limit=0", "limit: "],
    ["limit=1001", "limit: "],
    ["limit=1&limit=2", "limit: must be given once"],
    ["action=token.steal", "action: "],
    ["from=yesterday", "from: "],
    ["after=-1", "after: "],
  ])("that make no sense are refused: %s", async (parameters, detail) => {
    const response = await ask(parameters);
    expect(response.status).toBe(400);
    expect(await problem(response)).toMatchObject({ code: "invalid_input", detail: expect.stringContaining(detail) });
  });

  test("are not echoed where a token was pasted for a name", async () => {
    const response = await ask("aws80:0f8fad5b-d9cb-469f-a165-70867728950e=1");
    expect(await problem(response)).toMatchObject({ status: 400, detail: "Unknown parameter" });
  });
});

async function problem(response: Response) {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return (await response.json()) as Record<string, unknown>;
}

describe("the origin of a change", () => {
  test("is ours", async () => {
    const response = await echo(post('{"label":"x"}'), context);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ body: { label: "x" } });
  });

  test.each([
    undefined,
    "null",
    "",
    "https://evil.example",
    "http://tokendesk.example.com",
    "https://tokendesk.example.com.evil.example",
    "https://tokendesk.example.com:8443",
    "https://tokendesk.example.com/",
    "https://TOKENDESK.example.com",
  ])("is not %j, and nothing is done then", async (other) => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const headers = new Headers({ "content-type": "application/json", host: "tokendesk.example.com" });
      if (other !== undefined) headers.set("origin", other);
      const response = await echo(
        new NextRequest(`${origin}/api/echo`, { method, headers, body: '{"label":"x"}' }),
        context,
      );
      expect(response.status).toBe(403);
      expect(await problem(response)).toMatchObject({ code: "bad_origin", status: 403 });
    }
    expect(calls).toEqual([]);
  });

  test("is never believed from the Host header", async () => {
    const headers = { origin: "https://evil.example", host: "evil.example", "x-forwarded-host": "evil.example" };
    const request = new NextRequest("https://evil.example/api/echo", {
      method: "POST",
      headers,
      body: '{"label":"x"}',
    });
    expect((await echo(request, context)).status).toBe(403);
  });

  test("does not matter for reading", async () => {
    const read = publicRoute({ name: "/api/health" }, async () => ({ ok: true }));
    const response = await read(
      new NextRequest(`${origin}/api/health`, { headers: { origin: "https://evil.example" } }),
      context,
    );
    expect(response.status).toBe(200);
  });
});

describe("the input", () => {
  test.each([
    ["no object", "[]"],
    ["null", "null"],
    ["a missing field", "{}"],
    ["an empty body", null],
    ["an empty text", '{"label":""}'],
    ["an unknown field", '{"label":"x","value":"y"}'],
    ["another type", '{"label":1}'],
  ])("with %s is told what is wrong with it", async (_, body) => {
    const response = await echo(post(body), context);
    expect(response.status).toBe(400);
    const said = await problem(response);
    expect(said).toMatchObject({ type: "urn:tokendesk:problem:invalid_input", code: "invalid_input", status: 400 });
    const errors = said.errors as { path: string; message: string }[];
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toEqual({ path: expect.any(String), message: expect.any(String) });
    expect(calls).toEqual([]);
  });

  test.each(["{", '{"label":"x"', "label=x", "\u0000"])("that is no JSON (%j) is refused", async (body) => {
    expect(await problem(await echo(post(body), context))).toMatchObject({ code: "invalid_input" });
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""])(
    "of the type %j is refused: a form of another site can send it",
    async (type) => {
      expect((await echo(post('{"label":"x"}', { "content-type": type }), context)).status).toBe(400);
    },
  );

  test("of JSON's type with a charset is read", async () => {
    expect(
      (await echo(post('{"label":"é"}', { "content-type": "application/json; charset=utf-8" }), context)).status,
    ).toBe(200);
  });

  test("with a byte order mark is read", async () => {
    const response = await echo(post('\uFEFF{"label":"x"}'), context);
    expect(await response.json()).toEqual({ body: { label: "x" } });
  });

  test("that is no UTF-8 is refused, whatever it says that it is", async () => {
    const latin = Buffer.from('{"label":"Z\u00f6e"}', "latin1");
    for (const type of ["application/json", "application/json; charset=iso-8859-1"]) {
      const response = await echo(post(latin, { "content-type": type }), context);
      expect(response.status).toBe(400);
      expect(await problem(response)).toMatchObject({ code: "invalid_input" });
    }
    expect(calls).toEqual([]);
  });

  test("above 64 KB is refused, without reading it to its end", async () => {
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 1;
        if (pulled > 10_000) controller.close();
        else controller.enqueue(new Uint8Array(16_384).fill(32));
      },
    });
    const request = new NextRequest(`${origin}/api/echo`, {
      method: "POST",
      headers: { origin, "content-type": "application/json" },
      body: endless,
      duplex: "half",
    } as ConstructorParameters<typeof NextRequest>[1]);
    const response = await echo(request, context);
    expect(await problem(response)).toMatchObject({ code: "payload_too_large", status: 413 });
    expect(pulled).toBeLessThan(100);
    expect(calls).toEqual([]);
  });

  test("of more than a megabyte is read where that is meant, three at a time", async () => {
    const swallow = publicRoute(
      { name: "/api/swallow", body: z.object({ label: z.string() }), maxBody: 4 * 1024 * 1024 },
      async ({ body }) => ({ length: body.label.length }),
    );
    const large = JSON.stringify({ label: "x".repeat(2 * 1024 * 1024) });
    const gate = Promise.withResolvers<void>();
    const slowly = () => {
      const bytes = new TextEncoder().encode(large);
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(bytes.subarray(0, 1_500_000));
          await gate.promise;
          controller.enqueue(bytes.subarray(1_500_000));
          controller.close();
        },
      });
      const headers = { origin, "content-type": "application/json" };
      const init = { method: "POST", headers, body, duplex: "half" } as ConstructorParameters<typeof NextRequest>[1];
      return swallow(new NextRequest(`${origin}/api/swallow`, init), context);
    };
    const three = [slowly(), slowly(), slowly()];
    await new Promise((soon) => setImmediate(soon));
    const fourth = await swallow(post(large), context);
    expect(await problem(fourth)).toMatchObject({ code: "rate_limited", status: 429, retryAfter: 3 });
    expect((await swallow(post('{"label":"small"}'), context)).status).toBe(200);
    gate.resolve();
    expect((await Promise.all(three)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await swallow(post(large), context)).status).toBe(200);
  });

  test("of exactly 64 KB is read", async () => {
    const label = "x".repeat(64 * 1024 - '{"label":""}'.length);
    expect((await echo(post(JSON.stringify({ label })), context)).status).toBe(200);
    expect((await echo(post(JSON.stringify({ label: `${label}x` })), context)).status).toBe(413);
  });
});

describe("the answer", () => {
  test("is never stored, and has an ID of its own each time, good or bad", async () => {
    const responses = [
      await echo(post('{"label":"x"}'), context),
      await echo(post("{}"), context),
      await echo(post("{}", { origin: "null" }), context),
    ];
    const ids = responses.map(({ headers }) => headers.get("x-request-id"));
    expect(new Set(ids).size).toBe(3);
    for (const response of responses) expect(response.headers.get("cache-control")).toBe("no-store");
    expect((await problem(responses[1] as Response)).requestId).toBe(ids[1]);
  });

  test("has the security headers of its own where the proxy gave none", async () => {
    const alone = await echo(post('{"label":"x"}'), context);
    expect(alone.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(alone.headers.get("strict-transport-security")).toContain("max-age=");
    const proxied = await echo(post('{"label":"x"}', { "x-nonce": "n" }), context);
    expect(proxied.headers.has("content-security-policy")).toBe(false);
  });

  test("may be a response of the verb's own", async () => {
    const made = publicRoute({ name: "/x" }, async () => Response.json({ id: 1 }, { status: 201 }));
    const response = await made(new NextRequest(origin), context);
    expect([response.status, response.headers.get("cache-control")]).toEqual([201, "no-store"]);
  });

  test("may be a response whose headers cannot be changed", async () => {
    const made = publicRoute({ name: "/x" }, async () => Response.redirect(`${origin}/tokens`, 303));
    const response = await made(new NextRequest(origin), context);
    expect([response.status, response.headers.get("cache-control")]).toEqual([303, "no-store"]);
  });

  test("of a coded error has its status, its seconds and its extensions", async () => {
    const limited = publicRoute({ name: "/x" }, () =>
      Promise.reject(new TokendeskError("rate_limited", "Wait.", { retryAfter: 7, extensions: { candidates: [] } })),
    );
    const response = await limited(new NextRequest(origin), context);
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "7"]);
    expect(await problem(response)).toMatchObject({ code: "rate_limited", detail: "Wait.", candidates: [] });
  });

  describe("to what is not ours", () => {
    let log: ReturnType<typeof captureLog>;
    beforeEach(() => {
      freshProcess({ APP_URL: origin, LOG_LEVEL: "trace" });
      log = captureLog();
    });
    afterEach(() => log.stop());

    test("says nothing of it, and the log has its name and place alone", async () => {
      const broken = publicRoute({ name: "/x" }, () => {
        throw new TypeError("fetch failed: https://host/login?password=CANARY\n    at CANARY (second line)");
      });
      const response = await broken(new NextRequest(`${origin}/x?token=CANARY`), context);
      const said = await problem(response);
      expect(said).toMatchObject({ code: "internal_error", status: 500 });
      expect(JSON.stringify(said)).not.toContain("CANARY");
      await until(() => log.read().includes('"msg":"request"'));
      expect(log.read()).toContain("TypeError");
      expect(log.read()).toContain(String(said.requestId));
      expect(log.read()).not.toContain("CANARY");
    });

    test("secrets that are logged by mistake are covered", async () => {
      const { logger } = await import("@/lib/logger");
      const secrets = { password: "CANARY", accessToken: "CANARY", token: "CANARY", cookie: "CANARY" };
      logger().info({ ...secrets, deeper: secrets, and: { deeper: secrets } }, "seen");
      await until(() => log.read().includes("seen"));
      expect(log.read()).not.toContain("CANARY");
    });
  });
});

describe("the client's address", () => {
  const headers = (forwarded?: string) =>
    new Headers({
      "x-tokendesk-peer": "10.0.0.1",
      ...(forwarded === undefined ? {} : { "x-forwarded-for": forwarded }),
    });

  test.each([
    ["0", "1.1.1.1", "10.0.0.1"],
    ["1", "1.1.1.1", "1.1.1.1"],
    ["1", "6.6.6.6, 1.1.1.1", "1.1.1.1"],
    ["2", "6.6.6.6, 1.1.1.1, 10.0.0.9", "1.1.1.1"],
    ["2", "1.1.1.1", "10.0.0.1"],
    ["1", undefined, "10.0.0.1"],
    ["1", " , ", "10.0.0.1"],
  ])("with TRUST_PROXY=%s and X-Forwarded-For %j is %s", (trusted, forwarded, address) => {
    freshProcess({ TRUST_PROXY: trusted });
    expect(clientAddress(headers(forwarded))).toBe(address);
  });
});
