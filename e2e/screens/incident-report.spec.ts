import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { allowClipboard, clipboard, enter, everythingKept, expectGoodEverywhere } from "../browser.ts";
import { expect, test } from "../fixtures.ts";
import type { Visitor } from "../visitor.ts";

test.use({ appEnv: { OPS_USERS: "olga@example.com" } });

const ana = "ana@example.com";
const gone = "aws80:00000000-0000-0000-0000-00000000dead";

type Scan = { incident: string; findings: { id: string; status: string; hint: string }[] };

/** A file with all of these in it, looked up. */
async function scan(visitor: Visitor, values: string[]): Promise<Scan> {
  const form = new FormData();
  const text = values.map((value, index) => `${index}: API_TOKEN=${value} # a line of a log`).join("\n");
  form.append("files", new Blob([text]), "a-log-with-a-rather-long-name-2026-11-23.log");
  const reply = await visitor.post("/api/incidents/scan", form);
  expect(reply.status, reply.text).toBe(200);
  return reply.json<Scan>();
}

async function revoke(visitor: Visitor, { findings }: Scan): Promise<void> {
  const ids = findings.filter(({ status }) => status === "live").map(({ id }) => id);
  const body = { findings: ids, siblings: true, reason: "Leaked in the log of the | nightly <build>" };
  const reply = await visitor.post("/api/incidents/revoke", body);
  expect(reply.status, reply.text).toBe(200);
}

async function download(page: Page, name: string): Promise<{ file: string; text: string }> {
  const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
  return { file: saved.suggestedFilename(), text: await readFile(await saved.path(), "utf8") };
}

test("the report of a leak: what was found, what became of it, what nobody checked; as a page, a file, on paper", async ({
  app,
  visitor,
  newVisitor,
  page,
  sandbox,
}) => {
  test.setTimeout(90_000);
  const values = await sandbox.tokens(ana);
  await visitor.signIn(ana);
  const found = await scan(visitor, [...values.slice(0, 2), gone]);
  await enter(page, app, ana, `/incident/${found.incident}`);
  await expect(page).toHaveTitle("Incident report · Tokendesk");
  await expect(page.getByText("2 tokens are alive: nobody has revoked them.")).toBeVisible();

  // In the midst of it.
  await sandbox.hold("token.delete");
  const running = revoke(visitor, found);
  await expect(async () => {
    await page.reload();
    await expect(page.getByText(/^Revocation is under way: 0 of \d tokens? proven dead so far\.$/)).toBeVisible({
      timeout: 500,
    });
  }).toPass({ timeout: 15_000 });
  await expect(page.getByRole("link", { name: "Follow" })).toHaveAttribute("href", "/incident");
  await sandbox.clearFaults();
  await running;
  await page.reload();

  await expect(page.getByText(/^All 3 live tokens are proven dead, [\d.]+ seconds? after the paste\.$/)).toBeVisible();
  const rows = page.getByRole("table", { name: "Tokens" }).getByRole("row");
  await expect(rows).toHaveCount(1 + 4);
  await expect(rows.filter({ hasText: "a-log-with-a-rather-long-name-2026-11-23.log:1" })).toContainText("Revoked");
  await expect(rows.filter({ hasText: "another token of the same user" })).toContainText("Revoked");
  await expect(rows.filter({ hasText: "…dead" })).toContainText("Not revoked here.");
  const timeline = page.getByRole("list", { name: "Timeline" });
  await expect(timeline).toContainText("Reason: Leaked in the log of the | nightly <build>");
  await expect(timeline.getByRole("listitem").last()).toContainText("The revocation ended: 3 of 3 tokens proven dead.");
  await expect(page.getByRole("region", { name: "Who is behind them" })).toContainText("Ana Lima");
  await expect(page.getByRole("region", { name: "What was not checked" })).toContainText(
    "RingCX does not say when a token",
  );

  const markdown = await download(page, "Download Markdown");
  expect(markdown.file).toMatch(/^tokendesk-incident-\d{4}-\d\d-\d\d-[0-9a-f]{8}\.md$/);
  expect(markdown.text).toContain("Leaked in the log of the &#124; nightly &lt;build&gt;");
  const json = await download(page, "Download JSON");
  expect(JSON.parse(json.text)).toMatchObject({ incident: { id: found.incident, state: "contained" } });
  await allowClipboard(page);
  await page.getByRole("button", { name: "Copy summary" }).click();
  await expect(page.getByText("Copied the summary", { exact: true })).toBeVisible();
  const summary = await clipboard(page);
  expect(summary).toContain("proven dead");
  expect(summary).toContain(`/incident/${found.incident}`);
  const shown = await everythingKept(page);
  for (const secret of [...values, gone].map((value) => value.slice(6))) {
    for (const text of [markdown.text, json.text, summary, shown]) expect(text).not.toContain(secret);
  }

  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await expect(page.getByRole("navigation")).toBeHidden();
  await expect(page.getByRole("button", { name: "Print" })).toBeHidden();
  await expect(page.getByRole("heading", { level: 1, name: "Incident report", exact: true })).toHaveCSS(
    "color",
    "rgb(0, 0, 0)",
  );
  await page.emulateMedia({ media: "screen", colorScheme: "light" });
  await expectGoodEverywhere(page, "incident report");

  const pia = await newVisitor().signIn("password@example.com");
  for (const path of ["/report?format=json", "/report?format=md"]) {
    expect((await pia.get(`/api/incidents/${found.incident}${path}`)).status).toBe(404);
  }
  expect((await pia.get("/api/incidents")).json()).toEqual({ incidents: [] });
  const own = (await visitor.get("/api/incidents")).json<{ incidents: { id: string }[] }>();
  expect(own.incidents.map(({ id }) => id)).toContain(found.incident);
  const audit = (await visitor.get("/api/audit?action=incident.report&outcome=attempted")).json<{
    events: { details: unknown }[];
  }>();
  expect(audit.events.map(({ details }) => details)).toEqual([
    { incident: found.incident, format: "json" },
    { incident: found.incident, format: "md" },
  ]);
});

test("a report that is somebody else's, or of nothing, is not there", async ({ app, visitor, page, sandbox }) => {
  const [value] = await sandbox.tokens("password@example.com");
  await visitor.signIn("password@example.com");
  const { incident } = await scan(visitor, [value as string]);
  for (const path of [`/incident/${incident}`, "/incident/nothing"]) {
    await enter(page, app, ana, path);
    await expect(page.getByRole("heading", { name: "There is no such incident" })).toBeVisible();
  }
  await expectGoodEverywhere(page, "incident report, not found");
});
