import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { enter, expectGoodEverywhere } from "../browser.ts";
import { expect, test } from "../fixtures.ts";

const secret = "the secret of a receiver in the tests";

type Received = { path: string; headers: IncomingHttpHeaders; body: string };

/** Takes messages; `status` is what it answers, by path. */
async function startReceiver() {
  const received: Received[] = [];
  const status = new Map<string, number>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const path = request.url ?? "";
      received.push({ path, headers: request.headers, body });
      response.writeHead(status.get(path) ?? 204).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    status,
    close: () => server.close(),
  };
}

test("receivers are told of a token's life without its value; what was given up is sent again", async ({
  launch,
  newVisitor,
  page,
}) => {
  const receiver = await startReceiver();
  const app = await launch({
    env: {
      OPS_USERS: "ana@example.com",
      NOTIFY_WEBHOOKS: `${receiver.url}/hook`,
      NOTIFY_WEBHOOK_SECRET: secret,
      NOTIFY_SLACK_WEBHOOKS: `${receiver.url}/services/secret-path`,
    },
  });
  receiver.status.set("/services/secret-path", 404);
  const visitor = await newVisitor(app).signIn("ana@example.com");
  const made = await visitor.send("/api/tokens", { method: "POST", body: { label: "Told of" } });
  expect(made.status, made.text).toBe(201);
  const { token, value } = made.json<{ token: { id: string; hint: string }; value: string }>();
  const revoked = await visitor.send(`/api/tokens/${token.id}`, {
    method: "DELETE",
    body: { reason: "not to be sent" },
  });
  expect(revoked.status, revoked.text).toBe(200);
  const of = (path: string) => receiver.received.filter((one) => one.path === path);
  await expect
    .poll(() => of("/hook").map(({ body }) => JSON.parse(body).type))
    .toEqual(["token.created", "token.revoked"]);
  await expect.poll(() => of("/services/secret-path").length).toBe(2);
  expect(JSON.parse(of("/hook")[1]?.body ?? "").data).toMatchObject({
    tokenId: token.id,
    hint: token.hint,
    label: "Told of",
  });
  const everything = receiver.received.map(({ headers, body }) => JSON.stringify(headers) + body).join("\n");
  expect(everything).not.toContain(value.split(":")[1]);
  expect(everything).not.toContain("not to be sent");

  await enter(page, app, "ana@example.com", `${app.url}/settings`);
  const section = page.getByRole("region", { name: "Notifications", exact: true });
  await expect(section.getByRole("list", { name: "Receivers" }).getByRole("listitem")).toHaveText([
    new RegExp(`^${receiver.url}.*Signed webhook$`),
    new RegExp(`^${receiver.url}.*Slack-compatible$`),
  ]);
  const dead = section.getByRole("list", { name: "Given up" }).getByRole("listitem");
  await expect(dead).toHaveCount(2);
  await expect(dead.first()).toContainText("Token revoked");
  await expect(dead.first()).toContainText("Answered 404, 1 attempt");
  await expect(section.getByRole("list", { name: "Last messages" }).getByRole("listitem")).toHaveCount(2);
  await expectGoodEverywhere(page, "notifications");
  expect(await page.content()).not.toMatch(/secret-path|\/hook|the secret of a receiver/);
  await page.setViewportSize({ width: 1280, height: 780 });

  await section.getByRole("button", { name: "Send a test message" }).click();
  await expect(section.getByRole("status")).toContainText("The test message has arrived at 1 of 2 receivers");
  await expect(section.getByRole("status")).toContainText(/: Answered 404/);
  await expect(dead).toHaveCount(3);
  receiver.status.delete("/services/secret-path");
  await dead
    .filter({ hasText: "Token revoked" })
    .getByRole("button", { name: /^Send again/ })
    .click();
  await expect(section.getByRole("status")).toContainText("The message has arrived");
  await expect(section.getByRole("heading", { name: "Notifications" })).toBeFocused();
  await expect(dead).toHaveCount(2);
  const { events } = (await visitor.get("/api/audit?action=notification.resend")).json<{
    events: { outcome: string; details: Record<string, unknown> }[];
  }>();
  expect(events.map(({ outcome, details }) => [outcome, details.arrived])).toEqual([
    ["succeeded", true],
    ["attempted", undefined],
    ["succeeded", 1],
    ["attempted", undefined],
  ]);
  receiver.close();
});

test("without receivers the settings say how to name some; members have nothing to see or do", async ({
  launch,
  newVisitor,
  page,
}) => {
  const app = await launch({ env: { OPS_USERS: "ana@example.com" } });
  await enter(page, app, "ana@example.com", `${app.url}/settings`);
  const section = page.getByRole("region", { name: "Notifications", exact: true });
  await expect(section).toContainText("Nobody is told");
  await expect(section).toContainText("NOTIFY_SLACK_WEBHOOKS");
  await expect(section.getByRole("button")).toHaveCount(0);

  const member = await newVisitor(app).signIn("password@example.com");
  expect((await member.get("/settings")).text).not.toContain("Nobody is told");
  expect((await member.get("/api/notifications")).status).toBe(403);
  expect((await member.send("/api/notifications/test", { method: "POST" })).status).toBe(403);
});
