import "server-only";
import { setImmediate as otherWork } from "node:timers/promises";
import { needLog } from "@/lib/audit/availability";
import { checkpoint } from "@/lib/audit/checkpoints";
import type { Actor, Intent } from "@/lib/audit/log";
import {
  type Bounds,
  boundsOf,
  eventsIn,
  notReadable,
  type Range,
  type Reader,
  rangesFor,
  spanOf,
} from "@/lib/audit/reading";
import type { AuditDetails, AuditEvent, AuditFilter } from "@/lib/audit/schema";
import { auditedStream } from "@/lib/audit/streams";
import { read } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { TokendeskError } from "@/lib/errors";

export type ExportFormat = "jsonl" | "csv";

/** `atMost`: how many events it can become; null for members, whose few stand among those of everybody. */
type Export = { stream: ReadableStream<Uint8Array>; atMost: number | null };

const batchSize = 250;

/**
 * Everything that the reader may see and the filter lets through, oldest first, up to what was the newest event at the
 * beginning. Behind it stands a signed checkpoint of that moment.
 * @throws {TokendeskError} `audit_unavailable`
 */
export async function exportEvents(
  reader: Reader & { actor: Actor },
  filter: AuditFilter,
  format: ExportFormat,
): Promise<Export> {
  const { ranges, bounds, atMost } = await needLog(prepare(reader, filter), notReadable);
  const details: AuditDetails = { format, upTo: bounds.below - 1 };
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) details[name] = value;
  const subject = { action: "audit.export", details } as const;
  const stream = await auditedStream(reader.actor, subject, (intent) => linesOf(intent, ranges, bounds, format));
  return { stream, atMost };
}

async function prepare(reader: Reader, filter: AuditFilter) {
  try {
    await checkpoint("export");
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    throw new TokendeskError(
      "audit_unavailable",
      "No checkpoint of the audit log could be written, so nothing was exported. Tell the administrator of Tokendesk.",
      { cause: error },
    );
  }
  const head = await read((db) => db.selectFrom("audit_chain").select(["seq", "pruned_seq"]).executeTakeFirst());
  const bounds = await boundsOf(filter);
  bounds.above = Math.max(bounds.above, head?.pruned_seq ?? 0);
  bounds.below = Math.min(bounds.below, (head?.seq ?? 0) + 1);
  return {
    ranges: await rangesFor(reader, filter),
    bounds,
    // From what the reader may see, not from the log's length: that would tell how much others do.
    atMost: reader.user.role === "member" ? null : await spanOf(await rangesFor(reader, {}), bounds),
  };
}

async function* linesOf(
  intent: Intent,
  ranges: readonly Range[],
  bounds: Bounds,
  format: ExportFormat,
): AsyncGenerator<string> {
  let rows = 0;
  intent.details = { rows };
  if (format === "csv") yield csvLine(columns.map(([name]) => name));
  for await (const event of eventsIn(ranges, bounds, "asc", batchSize)) {
    yield format === "csv" ? csvLine(columns.map(([, cell]) => cell(event))) : `${JSON.stringify(event)}\n`;
    rows += 1;
    intent.details = { rows };
    if (rows % batchSize === 0) await otherWork();
  }
}

const columns: readonly [name: string, cell: (event: AuditEvent) => string | number | null][] = [
  ["seq", ({ seq }) => seq],
  ["id", ({ id }) => id],
  ["at", ({ at }) => at],
  ["tenant", ({ tenant }) => tenant],
  ["action", ({ action }) => action],
  ["outcome", ({ outcome }) => outcome],
  ["actor_id", ({ actor }) => actor.id],
  ["actor_name", ({ actor }) => actor.name],
  ["address", ({ address }) => address],
  ["user_agent", ({ userAgent }) => userAgent],
  ["request_id", ({ requestId }) => requestId],
  ["correlation_id", ({ correlationId }) => correlationId],
  ["token_id", ({ token }) => token?.id ?? null],
  ["token_hint", ({ token }) => token?.hint ?? null],
  ["reason", ({ reason }) => reason],
  ["details", ({ details }) => JSON.stringify(details)],
  ["previous_hash", ({ previousHash }) => previousHash],
  ["hash", ({ hash }) => hash],
];

/** What a spreadsheet would run, also after white space, and in the wide forms that some take for the same. */
const formula = /^(?:[\t\r]|[\s\u00A0\u200B\u3000"']*[=+\-@＝＋－＠])/;

/** RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells
    .map((cell) => {
      const text = typeof cell === "string" && formula.test(cell) ? `'${cell}` : String(cell ?? "");
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(",")}\r\n`;
}
