/** `/api/metrics`: for Prometheus on the same machine, or with a token. */
import { expect, test } from "./fixtures.ts";

const token = "a-token-for-the-monitoring-system";
test.use({ appEnv: { METRICS_TOKEN: token } });

const read = async (url: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${url}/api/metrics`, { headers });
  return { status: answer.status, type: answer.headers.get("content-type") ?? "", text: await answer.text() };
};

test("counts requests by route pattern and calls to RingCX by operation, and names nobody", async ({
  app,
  newVisitor,
  sandbox,
}) => {
  const visitor = newVisitor();
  await visitor.signIn();
  await visitor.send("/api/tokens");
  await visitor.send("/api/tokens/AAAAAAAAAAAAAAAAAAAAAA/reveal", { method: "POST" });
  const { status, type, text } = await read(app.url);
  expect([status, type]).toEqual([200, expect.stringContaining("text/plain")]);
  expect(text).toMatch(
    /tokendesk_request_duration_seconds_count\{route="\/api\/tokens",method="GET",status="200"\} \d+/,
  );
  expect(text).toMatch(/route="\/api\/tokens\/\{id\}\/reveal",method="POST",status="404"/);
  expect(text).toMatch(/tokendesk_upstream_duration_seconds_count\{operation="token.list",outcome="ok"\} \d+/);
  expect(text).toContain("process_resident_memory_bytes");
  expect(text).not.toMatch(/@example|AAAAAAAA|aws80/);
  const secrets = await sandbox.control<Record<string, string[]>>("GET", "secrets");
  for (const secret of Object.values(secrets).flat()) expect(text).not.toContain(secret);
});

test("is refused to whoever comes through a proxy, unless they know the token", async ({ app }) => {
  for (const header of ["x-forwarded-for", "x-real-ip", "forwarded", "via"]) {
    expect((await read(app.url, { [header]: "127.0.0.1" })).status, header).toBe(403);
  }
  const through = { "x-forwarded-for": "203.0.113.9" };
  expect((await read(app.url, { ...through, authorization: "Bearer wrong" })).text).toContain('"code":"forbidden"');
  expect((await read(app.url, { ...through, authorization: `Bearer ${token}` })).status).toBe(200);
});

test("only reads", async ({ app }) => {
  const answer = await fetch(`${app.url}/api/metrics`, { method: "POST", headers: { origin: app.origin } });
  expect(answer.status).toBe(405);
});
