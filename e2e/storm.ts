/** Many requests at once, as a browser makes them when its access token expires. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import type { Sandbox } from "../test/sandbox-control.ts";
import { apiReads, pages, waysToAsk } from "./rsc.ts";
import type { Reply, Visitor } from "./visitor.ts";

type Sent = { what: string; reply: Reply };

/** Sleeps until a moment that is known: no more than the arithmetic of lifetimes. */
export const until = (moment: number) => sleep(Math.max(0, moment - Date.now()));

/** Signs in with access tokens of this lifetime, and gives the moment from which both sides call it expired. */
export async function signInFor(seconds: number, sandbox: Sandbox, visitor: Visitor): Promise<number> {
  await sandbox.configure({ accessTokenSeconds: seconds });
  await visitor.signIn();
  // The dashboard counts from the end of the sign-in at the latest, the sandbox from an earlier whole second.
  return Date.now() + seconds * 1000;
}

/** A hundred requests at once: pages, navigations, prefetches and the API. `visitors` and `cookies` take turns. */
export function storm(
  visitors: readonly Visitor[],
  cookies: string[],
  signals: (AbortSignal | undefined)[] = [],
): Promise<Sent>[] {
  const pageRequests = pages.flatMap((page) => waysToAsk(page).filter(({ path }) => !path.includes(".rsc")));
  const apiRequests = apiReads.map((path) => ({ title: path, path, options: {} }));
  const mix = [...pageRequests, ...apiRequests];
  return Array.from({ length: 100 }, async (_, index) => {
    const { title, path, options } = mix[index % mix.length] as (typeof mix)[number];
    const visitor = visitors[index % visitors.length] as Visitor;
    const cookie = cookies[index % cookies.length] ?? "";
    const signal = signals[index];
    const reply = await visitor.get(path, { ...options, cookie, ...(signal ? { signal } : {}) });
    return { what: title, reply };
  });
}

export function expectSignedIn(sent: Sent[]): void {
  for (const { what, reply } of sent) {
    expect(reply.status, `${what}: ${reply.text.slice(0, 200)}`).toBe(200);
    expect(reply.text, what).not.toContain("/sign-in?");
    const removed = reply.headers.getSetCookie().filter((line) => /^tokendesk[^=]*=;/.test(line));
    // A seal that got shorter leaves a chunk behind, which is removed; never the first one.
    expect(
      removed.filter((line) => !/^tokendesk\.\d+=/.test(line)),
      what,
    ).toEqual([]);
  }
}

/** Led to sign-in, or told so: the one clean way out. */
export function isSignedOut({ reply }: Sent): boolean {
  // A whole address where APP_URL is another one than that of the process.
  if (reply.status === 307) return /^[^?]*\/sign-in\?reason=expired/.test(reply.headers.get("location") ?? "");
  return reply.status === 401 && reply.json().code === "session_expired";
}

/** The moment from which the newest access token counts as expired on both sides. */
export async function expiryOfNewest(sandbox: Sandbox, seconds: number): Promise<number> {
  const newest = (await sandbox.journal("refresh")).at(-1);
  if (!newest) throw new Error("there was no refresh");
  // It was asked for before the sandbox noted it.
  return newest.at + seconds * 1000;
}
