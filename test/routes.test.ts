import { globSync } from "node:fs";
import { NextRequest } from "next/server";
import { expect, test } from "vitest";
import { freshProcess } from "@/test/process";

const origin = "https://tokendesk.example.com";
const methods = ["DELETE", "GET", "PATCH", "POST", "PUT"] as const;
type Route = Partial<
  Record<string, (request: NextRequest, context: { params: Promise<Record<string, string>> }) => Promise<Response>>
>;

const files = globSync("app/api/**/route.ts").filter((file) => !file.includes("[[...path]]"));

test("there are routes", () => expect(files.length).toBeGreaterThan(30));

test.each(files)("%s answers every method, and names those that it has to the others", async (file) => {
  freshProcess({ APP_URL: origin });
  const route = (await import(`../${file}`)) as Route;
  const refusing = methods.filter((method) => route[method] === route.PUT);
  for (const method of refusing) {
    const request = new NextRequest(`${origin}/api/x`, { method, headers: { origin } });
    const response = await route[method]?.(request, { params: Promise.resolve({}) });
    expect(response?.status, method).toBe(405);
    // Next answers a HEAD with what GET says, unless the route has one of its own.
    const has = methods.filter((other) => !refusing.includes(other));
    const head = has.includes("GET") && route.HEAD === undefined ? ["HEAD"] : [];
    expect(response?.headers.get("allow")?.split(", ").sort(), method).toEqual([...has, ...head].sort());
  }
  expect(methods.filter((method) => route[method] === undefined)).toEqual([]);
});
