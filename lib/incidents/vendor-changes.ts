import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { SubAccount } from "@/lib/accounts/schema";
import { line } from "@/lib/audit/redaction";
import { write } from "@/lib/db/client";
import { isTokendeskError } from "@/lib/errors";
import { plural } from "@/lib/format";
import type { Investigator } from "@/lib/incidents/investigator";
import type { FindingStatus, KnownToken, TokenUser, VendorChanges } from "@/lib/incidents/schema";
import { logger } from "@/lib/logger";
import type { TokenClient } from "@/lib/ringcx/client";
import { UpstreamError } from "@/lib/ringcx/errors";
import type { VendorChange } from "@/lib/ringcx/schemas";
import { ifReachable } from "@/lib/tokens/held";

/**
 * What the users behind leaked tokens changed, as RingCX's own audit log tells it. It is asked with the token itself,
 * so while that lives; a report is better with it, and an incident never waits for it.
 */

/** `from`: since when the token is known here, epoch milliseconds; null: it is not. */
export type UserBehind = {
  value: string;
  user: TokenUser;
  accounts: readonly SubAccount[] | null;
  from: number | null;
};

const dayMs = 24 * 3_600_000;
const withoutRecordMs = 30 * dayMs;
const accountsAsked = 5;
const kept = 200;
/** How long a call may wait for its turn: the budget is for identifying and revoking. */
const patienceMs = 4_000;
const giveUpMs = 20_000;

export function nameOf({ name, login }: Pick<TokenUser, "name" | "login">): string {
  return line(login === null || login === name.toLowerCase() ? name : `${name} (${login})`, 450);
}

/** Never rejects: why there is no answer is part of the answer. */
export async function collectVendorChanges(
  investigator: Pick<Investigator, "holding">,
  { value, user, accounts, from }: UserBehind,
): Promise<VendorChanges> {
  const to = Date.now();
  const since = from === null || from >= to ? to - withoutRecordMs : from;
  const answer: VendorChanges = {
    user: nameOf(user),
    from: withOffset(since),
    to: withOffset(to),
    unavailable: null,
    changes: [],
    truncated: false,
    notChecked: [],
  };
  const asked = (accounts ?? []).slice(0, accountsAsked);
  if (asked.length === 0) {
    return { ...answer, unavailable: "RingCX named no sub-account of this user whose audit log could be asked for." };
  }
  try {
    const token = investigator.holding(value, patienceMs);
    const work = ask(token, { since, to, user, asked, total: accounts?.length ?? 0 });
    const late = new AbortController();
    const found = await Promise.race([work, delay(giveUpMs, null, { ref: false, signal: late.signal })]);
    late.abort();
    return { ...answer, ...(found ?? { unavailable: "RingCX did not answer in time." }) };
  } catch (error) {
    logger().warn({ err: error }, "the vendor's audit log could not be read");
    return { ...answer, unavailable: "RingCX gave an answer that cannot be trusted." };
  }
}

type Question = { since: number; to: number; user: TokenUser; asked: readonly SubAccount[]; total: number };
type Answer = Pick<VendorChanges, "unavailable" | "changes" | "truncated" | "notChecked">;

async function ask(token: TokenClient, { since, to, user, asked, total }: Question): Promise<Answer> {
  const nothing = { changes: [], truncated: false, notChecked: [] };
  if (token.waitForCalls(asked.length) > patienceMs) {
    return { ...nothing, unavailable: "It was not asked: RingCX's requests per minute were needed for the tokens." };
  }
  const askFor = async (account: SubAccount) => {
    try {
      return { account, ...(await token.searchVendorLog(account.accountId, since, to)), refusal: null };
    } catch (error) {
      if (!isTokendeskError(error)) throw error;
      return { account, items: [], unreadable: 0, refusal: reasonOf(error) };
    }
  };
  // A permission that one sub-account shows to be missing is not asked for five times.
  const [first, ...others] = asked as [SubAccount, ...SubAccount[]];
  const answers = [await askFor(first)];
  if (answers[0]?.refusal) return { ...nothing, unavailable: answers[0].refusal };
  answers.push(...(await Promise.all(others.map(askFor))));

  const changes = merge(
    answers.map(({ account, items }) => ({
      account: account.accountName,
      items: items.filter((change) => change.at >= since && change.at <= to && isBy(change, user)),
    })),
  );
  const unreadable = answers.reduce((sum, answer) => sum + answer.unreadable, 0);
  const notChecked = [
    ...(total > asked.length
      ? [`${plural(total - asked.length, "sub-account")} of ${total}: only the first ${asked.length} were asked for.`]
      : []),
    ...answers.flatMap(({ account, refusal }) => (refusal ? [`${line(account.accountName, 100)}: ${refusal}`] : [])),
    ...(unreadable > 0 ? [`${plural(unreadable, "entry", "entries")} that Tokendesk cannot read.`] : []),
  ];
  return { unavailable: null, changes: changes.slice(-kept), truncated: changes.length > kept, notChecked };
}

const isBy = (change: VendorChange, user: TokenUser) =>
  change.userId === user.id || (change.login !== null && change.login === user.login);

/** In the order of their times. A change that the logs of several sub-accounts tell is one. */
function merge(logs: readonly { account: string; items: readonly VendorChange[] }[]): VendorChanges["changes"] {
  const byDeed = new Map<string, { change: VendorChange; accounts: string[] }>();
  for (const { account, items } of logs) {
    for (const change of items) {
      const deed = JSON.stringify([change.at, change.action, change.what]);
      const same = byDeed.get(deed);
      if (!same) byDeed.set(deed, { change, accounts: [account] });
      else if (!same.accounts.includes(account)) same.accounts.push(account);
    }
  }
  return [...byDeed.values()]
    .sort((a, b) => a.change.at - b.change.at)
    .map(({ change, accounts }) => ({
      at: new Date(change.at).toISOString(),
      account: line(accounts.join(", "), 300),
      action: line(change.action, 50),
      what: line(change.what, 300),
    }));
}

function reasonOf(error: unknown): string {
  if (error instanceof UpstreamError) {
    switch (error.reason) {
      case "forbidden":
        return "RingCX does not let this token's user read the audit log.";
      case "unauthorized":
        return "RingCX refused the token before it could be asked.";
      case "rate_limited":
        return "It was not asked: RingCX's requests per minute were needed for the tokens.";
      case "timeout":
        return "RingCX did not answer in time.";
      case "unavailable":
        return "RingCX could not be reached.";
    }
  }
  return "RingCX gave an answer that cannot be trusted.";
}

/** As RingCX is asked: it refuses `Z`. */
const withOffset = (at: number) => new Date(at).toISOString().replace("Z", "+00:00");

/** A token of a case, as it was identified. */
export type Identity = {
  value: string;
  status: FindingStatus;
  user: TokenUser | null;
  accounts: readonly SubAccount[] | null;
  known: Pick<KnownToken, "firstSeenAt"> | null;
};

const usersAsked = 20;

/**
 * Asks for each user behind tokens that live, one after the other, and keeps the answers with the case. Nobody needs to
 * wait for it, and it never rejects.
 */
export async function noteVendorChanges(
  investigator: Pick<Investigator, "holding" | "tenant">,
  incident: string,
  tokens: readonly Identity[],
): Promise<void> {
  try {
    for (const user of usersOf(tokens).slice(0, usersAsked)) {
      const changes = await collectVendorChanges(investigator, user);
      await ifReachable(keepVendorChanges(investigator.tenant, incident, changes));
    }
  } catch (error) {
    logger().error({ err: error }, "what RingCX says of changes could not be kept");
  }
}

function usersOf(tokens: readonly Identity[]): UserBehind[] {
  const users = new Map<string, UserBehind>();
  for (const { value, status, user, accounts, known } of tokens) {
    if (status !== "live" || user === null) continue;
    // One that is not known here may have been at work for longer.
    const from = known === null ? Date.now() - withoutRecordMs : Date.parse(known.firstSeenAt);
    const same = users.get(user.id);
    if (!same) users.set(user.id, { value, user, accounts, from });
    else same.from = Math.min(same.from ?? from, from);
  }
  return [...users.values()];
}

/** Takes the place of what was kept of the same user, unless it says less. @throws {DatabaseUnavailable} */
export async function keepVendorChanges(tenant: string, incident: string, changes: VendorChanges): Promise<void> {
  await write(`incident:${incident}`, async (trx) => {
    const row = await trx
      .selectFrom("incidents")
      .select("vendor_changes")
      .where("tenant", "=", tenant)
      .where("id", "=", incident)
      .executeTakeFirst();
    if (!row) return;
    const before = parseVendorChanges(row.vendor_changes);
    const same = before.find(({ user }) => user === changes.user);
    if (same?.unavailable === null && changes.unavailable !== null) return;
    const after = same ? before.map((one) => (one === same ? changes : one)) : [...before, changes];
    await trx
      .updateTable("incidents")
      .set({ vendor_changes: JSON.stringify(after) })
      .where("tenant", "=", tenant)
      .where("id", "=", incident)
      .execute();
  });
}

const storedSchema = z.array(
  z.object({
    user: z.string(),
    from: z.string(),
    to: z.string(),
    unavailable: z.string().nullable(),
    changes: z.array(z.object({ at: z.string(), account: z.string(), action: z.string(), what: z.string() })),
    truncated: z.boolean(),
    notChecked: z.array(z.string()),
  }),
);

/** What is kept with a case. What makes no sense counts as nothing. */
export function parseVendorChanges(stored: string | null): VendorChanges[] {
  try {
    return storedSchema.parse(JSON.parse(stored ?? "[]"));
  } catch {
    return [];
  }
}
