import { z } from "zod";
import { actionGroups } from "@/components/audit/audit-text";
import { type AuditAction, type AuditFilter, type AuditQuery, auditOutcomes } from "@/lib/audit/schema";
import { firstOf, searchText } from "@/lib/tokens/schema";

/**
 * What the person is looking at; it lives in the page's address. Pages go by key, so an address knows only the way to
 * older events: `trail` holds the cursors of the pages before this one, oldest visit first, and leads back.
 */
export type AuditView = {
  actor: string;
  action: AuditAction | null;
  outcome: (typeof auditOutcomes)[number] | null;
  token: string;
  /** Days in UTC, both included. */
  from: string | null;
  to: string | null;
  cursor: string | null;
  trail: string[];
};

const eventsPerPage = 50;

/** Longer ones lead back to the newest page at once: an address is not endless. */
const longestTrail = 20;

const cursor = z.string().regex(/^[\w-]{1,64}$/);
const day = z.iso.date().nullable().catch(null).default(null);

const viewSchema = z.object({
  actor: z.string().trim().max(320).catch("").default(""),
  action: z
    .enum(actionGroups.flatMap(({ actions }) => actions))
    .nullable()
    .catch(null)
    .default(null),
  outcome: z.enum(auditOutcomes).nullable().catch(null).default(null),
  token: z.string().trim().max(64).catch("").default(""),
  from: day,
  to: day,
  cursor: cursor.nullable().catch(null).default(null),
  trail: z
    .string()
    .transform((text) => text.split("."))
    .pipe(z.array(cursor).max(longestTrail))
    .catch([])
    .default([]),
});

export const everything: AuditView = viewSchema.parse({});

/** Parses the page's search parameters. Nonsense falls back to the default of that parameter. */
export function parseAuditView(parameters: Record<string, string | string[] | undefined>): AuditView {
  const view = viewSchema.parse(firstOf(parameters));
  return { ...view, actor: searchText(view.actor).text, token: searchText(view.token).text };
}

export function auditPath(view: AuditView): string {
  const parameters = new URLSearchParams(filterEntries(view));
  if (view.cursor !== null) parameters.set("cursor", view.cursor);
  if (view.trail.length > 0) parameters.set("trail", view.trail.join("."));
  const text = parameters.toString();
  return text === "" ? "/audit" : `/audit?${text}`;
}

export function olderPage(view: AuditView, nextCursor: string): AuditView {
  const trail = view.cursor === null ? [] : [...view.trail, view.cursor];
  return { ...view, cursor: nextCursor, trail: trail.slice(-longestTrail) };
}

export function newerPage(view: AuditView): AuditView {
  return { ...view, cursor: view.trail.at(-1) ?? null, trail: view.trail.slice(0, -1) };
}

export function newestPage(view: AuditView): AuditView {
  return { ...view, cursor: null, trail: [] };
}

/** The filters alone, as the API takes them. */
export function filterEntries({ actor, action, outcome, token, from, to }: AuditView): [keyof AuditFilter, string][] {
  const all = { actor, action, outcome, token, from, to };
  return (Object.entries(all) as [keyof AuditFilter, string | null][]).flatMap(([name, value]) =>
    value === null || value === "" ? [] : [[name, value]],
  );
}

export function auditQueryOf(view: AuditView): AuditQuery {
  return {
    ...(Object.fromEntries(filterEntries(view)) as AuditFilter),
    ...(view.cursor === null ? {} : { cursor: view.cursor }),
    limit: eventsPerPage,
  };
}
