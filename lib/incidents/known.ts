import "server-only";
import { read } from "@/lib/db/client";
import type { KnownToken } from "@/lib/incidents/schema";
import { columns, type InventoryRecord, parseRecord } from "@/lib/tokens/inventory";

/** A statement takes so many parameters on every database. */
const chunk = 500;

/** What the inventory of a main account remembers of these tokens, dead ones too, by token ID. @throws {DatabaseUnavailable} */
export async function knownTokens(tenant: string, tokenIds: readonly string[]): Promise<Map<string, KnownToken>> {
  const known = new Map<string, KnownToken>();
  for (let at = 0; at < tokenIds.length; at += chunk) {
    const rows = await read((db) =>
      db
        .selectFrom("tokens")
        .select(columns)
        .where("tenant", "=", tenant)
        .where("id", "in", tokenIds.slice(at, at + chunk))
        .execute(),
    );
    for (const row of rows) known.set(row.id, toKnown(parseRecord(row)));
  }
  return known;
}

function toKnown(record: InventoryRecord): KnownToken {
  const { label, purpose, environment, usedIn, ownerName, status, createdHere } = record;
  const endedAt = status === "revoked" ? record.revokedAt : status === "vanished" ? record.vanishedAt : null;
  return {
    label,
    purpose,
    environment,
    usedIn,
    owner: ownerName,
    status,
    createdHere,
    firstSeenAt: new Date(record.firstSeenAt).toISOString(),
    lastSeenAt: new Date(record.lastSeenAt).toISOString(),
    endedAt: endedAt === null ? null : new Date(endedAt).toISOString(),
  };
}
