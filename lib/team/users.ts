import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import { logger } from "@/lib/logger";
import { UpstreamError } from "@/lib/ringcx/errors";
import type { VendorUser } from "@/lib/ringcx/schemas";
import type { Coverage } from "@/lib/team/schema";
import type { TokenOwner } from "@/lib/tokens/held";

type Owner = { ownerId: string; login: string | null };

/** What the vendor's list of users says of those whom Tokendesk knows. */
export type KnownUsers = {
  /** Why there is no such list; null: there is. */
  unavailable: Coverage["unavailable"];
  /** The vendor says that this user is disabled. A user that its list does not name may be above the reader. */
  hasLeft(owner: Owner): boolean;
  /** Names of the users in the list that are none of these. */
  unseen(owners: readonly Owner[]): string[];
};

type Answer = { users: VendorUser[]; unavailable: Coverage["unavailable"] };

const keptForMs = 60_000;
const patienceMs = 3_000;
const slot = Symbol.for("tokendesk.team.users");
type Slot = { [slot]?: Map<string, { answer: Promise<Answer>; at: number }> };

/** Answers of the last minute, by reader: what one may see, another may not. */
function kept(): Map<string, { answer: Promise<Answer>; at: number }> {
  const holder = globalThis as Slot;
  holder[slot] ??= new Map();
  return holder[slot];
}

/** Never rejects, and never waits long: the rest of the page does not depend on it. */
export async function knownUsers(reader: TokenOwner): Promise<KnownUsers> {
  const late = delay(patienceMs, { users: [], unavailable: "failed" } satisfies Answer, { ref: false });
  const { users, unavailable } = await Promise.race([askOnce(reader), late]);
  const matches = (user: VendorUser, { ownerId, login }: Owner) =>
    ownerId.endsWith(`:${user.userId}`) || (login !== null && user.login === login);
  return {
    unavailable,
    hasLeft: (owner) => {
      const known = users.filter((user) => matches(user, owner));
      return known.length > 0 && known.every(({ enabled }) => !enabled);
    },
    unseen: (owners) =>
      users
        .filter((user) => user.enabled && !owners.some((owner) => matches(user, owner)))
        .map(({ name }) => name)
        .sort((a, b) => a.localeCompare(b, "en")),
  };
}

function askOnce(reader: TokenOwner): Promise<Answer> {
  const answers = kept();
  const now = Date.now();
  for (const [key, { at }] of answers) if (now - at > keptForMs) answers.delete(key);
  const key = `${reader.tenant} ${reader.user.id}`;
  const known = answers.get(key);
  if (known) return known.answer;
  const answer = ask(reader).then((given) => {
    // A failure is not worth keeping; a refusal is.
    if (given.unavailable === "failed") answers.delete(key);
    return given;
  });
  answers.set(key, { answer, at: now });
  return answer;
}

async function ask(reader: TokenOwner): Promise<Answer> {
  try {
    return { users: (await reader.client.listUsers()).items, unavailable: null };
  } catch (error) {
    logger().info({ err: error }, "the vendor's list of users is not available");
    const refused = error instanceof UpstreamError && error.reason === "forbidden";
    return { users: [], unavailable: refused ? "not_permitted" : "failed" };
  }
}
