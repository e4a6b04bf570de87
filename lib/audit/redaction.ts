import "server-only";
import type { Draft } from "@/lib/audit/chain";
import type { AuditDetails } from "@/lib/audit/schema";
import { tokenHint } from "@/lib/tokens/schema";

/**
 * What may stand in the log. Callers pass no secrets; but people type reasons, paste into the wrong field, and send any
 * user agent they like, and what is in the log stays there.
 */
const caps = { name: 320, id: 200, address: 64, userAgent: 256, reason: 500, hint: 64, requestId: 64 };
const detailCaps = { members: 32, text: 500, items: 50, bytes: 8192 };

/** An encoded character, once (`%3A`) or twice (`%253A`). */
const encoded = (hex: string) => `%(?:25)?${hex}`;
const dash = `(?:-|${encoded("2D")})?`;
const hex = "[0-9A-Fa-f]";
const secret = `${hex}{8}${dash}${hex}{4}${dash}${hex}{4}${dash}${hex}{4}${dash}${hex}{12}`;
const tokenValue = new RegExp(`([A-Za-z0-9][\\w.-]{0,31})(?::|：|${encoded("3A")})(${secret})`, "gi");
const bareSecret = new RegExp(`(?<!${hex})${hex}{8}-${hex}{4}-${hex}{4}-${hex}{4}-${hex}{12}(?!${hex})`, "g");
const webToken = /\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?/g;
/** A key of our own API, or a part of one. */
const apiKey = /tdk_[\w-]{8,}/g;

/** Without control and direction marks, invisible characters and lone surrogates. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/gu, (mark) =>
    /\s/.test(mark) ? " " : "",
  );
}

/** Token values replaced by their hints; access tokens and API keys masked. `bare`: also the secret part alone. */
function masked(text: string, bare: boolean): string {
  const plain = text
    .replace(tokenValue, (_, prefix: string, value: string) => tokenHint(`${prefix}:${value}`))
    .replace(webToken, "[masked]")
    .replace(apiKey, "[masked]");
  return bare ? plain.replace(bareSecret, (value) => tokenHint(value)) : plain;
}

/** A text of at most `max` characters on one line, without what nobody sees and with values masked. */
export function line(text: string, max: number, bare = true): string {
  // Masked before it is cut, or the cut could leave a part of a value that is no longer recognised.
  return masked(visible(text.slice(0, 20_000)), bare)
    .slice(0, max)
    .replace(/\p{Cs}/gu, "")
    .trim();
}

/** What RingCX or Tokendesk has named: a UUID in it is no secret, and changed it would be somebody else. */
function identifier(text: string | null): string | null {
  if (text === null) return null;
  return (
    visible(text)
      .slice(0, caps.id)
      .replace(/\p{Cs}/gu, "")
      .trim() || null
  );
}

const orNull = (text: string | null, max: number, bare = true) =>
  text === null ? null : line(text, max, bare) || null;

/** A name under which a UUID of ours stands: `order`, `incident`, `id`, `tokenId`. */
const naming = /^order$|^incident$|^id$|Id$/;

function cleanDetails(details: AuditDetails): AuditDetails {
  const clean: AuditDetails = {};
  let room = detailCaps.bytes;
  for (const [name, value] of Object.entries(details).slice(0, detailCaps.members)) {
    if (!/^[A-Za-z]\w{0,39}$/.test(name)) continue;
    const bare = !naming.test(name);
    const text = (item: string) => line(item, detailCaps.text, bare);
    const kept = Array.isArray(value)
      ? value.slice(0, detailCaps.items).map((item) => text(String(item)))
      : typeof value === "string"
        ? text(value)
        : typeof value === "number"
          ? Number.isFinite(value)
            ? value
            : null
          : typeof value === "boolean"
            ? value
            : null;
    room -= name.length + JSON.stringify(kept).length;
    if (room < 0) return { ...clean, truncated: true };
    clean[name] = kept;
  }
  return clean;
}

/** The draft as it may be recorded. Cleaning it again changes nothing. */
export function cleanDraft(draft: Draft): Draft {
  return {
    id: draft.id,
    tenant: identifier(draft.tenant),
    action: draft.action,
    outcome: draft.outcome,
    actorId: identifier(draft.actorId),
    // Logins are compared without regard to case.
    actorName: (line(draft.actorName, caps.name) || "unknown").toLowerCase(),
    address: orNull(draft.address, caps.address),
    userAgent: orNull(draft.userAgent, caps.userAgent),
    requestId: orNull(draft.requestId, caps.requestId, false),
    correlationId: line(draft.correlationId, caps.id, false),
    tokenId: orNull(draft.tokenId, caps.hint, false),
    tokenHint: orNull(draft.tokenHint, caps.hint),
    reason: orNull(draft.reason, caps.reason),
    details: cleanDetails(draft.details),
  };
}
