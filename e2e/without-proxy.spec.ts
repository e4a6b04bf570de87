import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { serverScript } from "../scripts/setup.ts";
import { test as base, expect } from "./fixtures.ts";
import { apiReads, pages, waysToAsk } from "./rsc.ts";
import { expectProblem, hintOf } from "./visitor.ts";

/** The built dashboard with its proxy taken out, as some hole in the framework might leave it. */
const test = base.extend<object, { unproxied: string }>({
  unproxied: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the dependencies from the pattern
    async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), "tokendesk-unproxied-"));
      cpSync(dirname(serverScript), folder, { recursive: true, verbatimSymlinks: true });
      const manifest = join(folder, ".next/server/functions-config-manifest.json");
      const content = JSON.parse(readFileSync(manifest, "utf8")) as { functions: Record<string, unknown> };
      if (!("/_middleware" in content.functions)) throw new Error("the build has its proxy elsewhere");
      delete content.functions["/_middleware"];
      writeFileSync(manifest, JSON.stringify(content));
      await use(join(folder, "server.js"));
      rmSync(folder, { recursive: true });
    },
    { scope: "worker", timeout: 60_000 },
  ],
});

test("without the proxy every page, payload and call still refuses strangers", async ({
  sandbox,
  launch,
  unproxied,
  newVisitor,
}) => {
  const app = await launch({ script: unproxied });
  const hints = (await sandbox.tokens("ana@example.com")).map(hintOf);
  const facts = [...hints, "RingForce", "333334", "ana@example.com"];

  const stranger = newVisitor(app);
  const garbage = "tokendesk=planted; tokendesk.0=planted; tokendesk.identity=planted";
  for (const cookie of ["", garbage]) {
    for (const { title, path, options } of pages.flatMap(waysToAsk)) {
      const reply = await stranger.get(path, { ...options, cookie });
      expect(reply.headers.get("content-security-policy"), "the proxy is out").toBeNull();
      for (const fact of facts) expect(reply.text, title).not.toContain(fact);
      // A prefetch of the frame alone runs no page: then there is nothing to refuse, and nothing in it.
      if (reply.status === 200 && reply.text.includes("aws80:")) throw new Error(`${title} shows a token`);
    }
    for (const path of apiReads) {
      const code = cookie === "" ? "not_signed_in" : "session_expired";
      expectProblem(await stranger.get(path, { cookie }), 401, code);
    }
    for (const path of ["/api/tokens", "/api/tokens/x/reveal", "/api/tokens/x/rotate"]) {
      const reply = await stranger.post(path, { label: "CI" }, { cookie });
      expectProblem(reply, 401, cookie === "" ? "not_signed_in" : "session_expired");
    }
  }
  for (const path of pages) {
    const reply = await stranger.get(path);
    expect(reply.headers.get("location") ?? reply.text).toContain("/sign-in");
  }
  expect(await sandbox.journal()).toEqual([]);

  // The same requests do show these facts to somebody who has signed in.
  const ana = await newVisitor(app).signIn();
  const shown = await Promise.all(pages.flatMap(waysToAsk).map(({ path, options }) => ana.get(path, options)));
  const all = shown.map(({ text }) => text).join("\n");
  for (const fact of facts) expect(all).toContain(fact);
});

test("with the proxy strangers get no further than the sign-in page", async ({ sandbox, visitor }) => {
  for (const { title, path, options } of pages.flatMap(waysToAsk)) {
    const reply = await visitor.get(path, options);
    expect(reply.status, title).toBe(307);
    expect(reply.headers.get("location"), title).toMatch(/^\/sign-in(\?|$)/);
  }
  expect(await sandbox.journal()).toEqual([]);
});

test("a header that tells Next to skip its proxy opens nothing", async ({ sandbox, visitor }) => {
  for (const value of ["proxy", "middleware", "middleware:middleware:middleware:middleware:middleware", "src/proxy"]) {
    const headers = { "x-middleware-subrequest": value, "x-nextjs-data": "1", "x-tokendesk-path": "/tokens" };
    const page = await visitor.get("/tokens", { headers });
    expect(page.headers.get("location") ?? page.text).toContain("/sign-in");
    expectProblem(await visitor.get("/api/tokens", { headers }), 401, "not_signed_in");
  }
  expect(await sandbox.journal()).toEqual([]);
});
