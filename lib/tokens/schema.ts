import { z } from "zod";
import type { ListedConnection } from "@/lib/session/schema";

/**
 * What the dashboard says of an API token. There is no value in it, by structure.
 * Times are ISO 8601 in UTC; `rotateBy` is a calendar date (`2026-12-31`).
 */
export type Token = {
  /** Opaque, URL-safe, stable for that token on this installation. The same user on two hosts may have it twice. */
  id: string;
  /** Of the reader, through which it was seen; null: it was not seen so. */
  connection: string | null;
  /** The prefix and the last four characters: `aws80:…c0a9`. */
  hint: string;
  label: string | null;
  purpose: string | null;
  environment: string | null;
  /** Where it is used: hosts, flows, scripts. */
  usedIn: string | null;
  rotateBy: string | null;
  owner: string | null;
  firstSeenAt: string | null;
  lastSeenAt: string | null;
  createdHere: boolean | null;
  /** Since when it is in the list without anybody here having created it; null once its owner has said what it is. */
  appearedAt: string | null;
  status: TokenStatus;
  /** Somebody has ordered that it be revoked as soon as its owner's list shows it. */
  order: RevocationOrder | null;
};

/** `trouble`: why the last try did not prove it dead; null: it was not tried yet. */
export type RevocationOrder = {
  id: string;
  orderedBy: string;
  orderedAt: string;
  reason: string | null;
  trouble: string | null;
};

export type TokenStatus = "active" | "revoked" | "vanished";

/**
 * `inventory`: whether what is remembered of the tokens (label, first seen, ...) could be read. `unreadable`: how many
 * entries of RingCX's list made no sense and are left out.
 */
export type TokenList = {
  tokens: Token[];
  fetchedAt: string;
  inventory: "available" | "unavailable";
  unreadable: number;
  differences: Differences;
};

/** The lists of all connections as one: the active one first. */
export type MergedTokenList = TokenList & { connections: ListedConnection[] };

/** What tells a row from all others: the same user on two hosts may list the same value. */
export function rowKey({ connection, id }: Pick<Token, "connection" | "id">): string {
  return connection === null ? id : `${connection}.${id}`;
}

/**
 * What has changed outside Tokendesk since the owner last said that they know: `appeared` are in the list (they have an
 * `appearedAt`), `vanished` are not. The newest 50 of each; the totals count all.
 */
export type Differences = {
  appeared: Token[];
  appearedTotal: number;
  vanished: Token[];
  vanishedTotal: number;
};

/** What is known of a token besides the audit log. */
export type Milestone = {
  /** ISO 8601. */
  at: string;
  kind: "first_seen" | "created_here" | "appeared" | "adopted" | "vanished" | "revoked" | "alive_again";
  detail: string;
};

/** How a revocation was proven. `token_refused`: RingCX answers 401 to the token itself. */
export type RevocationProof = { method: "token_refused" | "absent_from_list"; checkedAt: string };

// Control and direction marks would make one label look like another.
const invisible = /[\p{Cc}\u200B-\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/u;
/** A line or, with those characters allowed, a text that a person typed. */
export const text = (max: number, allowed = "") =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((value) => ![...value].some((character) => invisible.test(character) && !allowed.includes(character)), {
      error: "must not hold invisible characters",
    })
    // It is kept in the clear.
    .refine((value) => !holdsSecret(value), { error: "must not hold a token value" });

/** A calendar date. Of a moment, as all other times here are written, the date that it names. */
const day = z.preprocess(
  (value) =>
    z.iso.datetime({ offset: true, local: true }).safeParse(value).success ? String(value).slice(0, 10) : value,
  z.iso.date(),
);

const described = {
  label: text(100),
  purpose: text(500, "\n\r\t"),
  environment: text(50),
  usedIn: text(500, "\n\r\t"),
  rotateBy: day,
};

/** Null, as a `Token` says it, is as good as absent where there is nothing yet. */
const nothingYet = <T>(schema: z.ZodType<T>) =>
  schema
    .nullable()
    .transform((value) => value ?? undefined)
    .optional();

/** Body of `POST /api/tokens`. */
export const newTokenSchema = z.strictObject({
  label: described.label,
  purpose: nothingYet(described.purpose),
  environment: nothingYet(described.environment),
  usedIn: nothingYet(described.usedIn),
  rotateBy: nothingYet(described.rotateBy),
});
export type NewToken = z.infer<typeof newTokenSchema>;

/** Path parameters of `/api/tokens/{id}`. An ID of another form is simply not found. */
export const tokenPathSchema = z.object({ id: z.string() });

/** `urgent`: goes on when the audit log cannot be written; the records follow when it can. */
export const revokeSchema = z.strictObject({ reason: nothingYet(text(500)), urgent: z.boolean().optional() });

/** Body of `PATCH /api/tokens/{id}`: what is absent stays, null clears. */
export const editTokenSchema = z
  .strictObject({
    label: described.label.nullable(),
    purpose: described.purpose.nullable(),
    environment: described.environment.nullable(),
    usedIn: described.usedIn.nullable(),
    rotateBy: described.rotateBy.nullable(),
  })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, { error: "Name at least one field to change" });
export type TokenPatch = z.infer<typeof editTokenSchema>;

/** Body of `POST /api/tokens/{id}/rotate`: what is absent is taken over from the token that is replaced. */
export const rotateTokenSchema = z.strictObject(described).partial();
export type Successor = z.infer<typeof rotateTokenSchema>;

/** Where the old token of a rotation was used, and whether the new one has taken its place there. */
const rotationPlaceSchema = z.strictObject({ place: text(200), done: z.boolean() });
export type RotationPlace = z.infer<typeof rotationPlaceSchema>;
export const maxPlaces = 50;

/**
 * A token that is being replaced by another one: both work until the old one is revoked. `ordered`: its date has come,
 * and it is revoked when its owner's list next shows it.
 */
export type Rotation = {
  id: string;
  old: RotationSide;
  successor: RotationSide;
  owner: string;
  startedAt: string;
  /** When the old one is to be revoked, ISO 8601; null: not decided. */
  revokeAt: string | null;
  places: RotationPlace[];
  state: "open" | "ordered";
};

/** One of the reader's own, with the connection through which it is planned. */
export type OwnRotation = Rotation & { connection: string | null };

/** `listed`: in the latest list of its owner that was seen. */
export type RotationSide = { id: string; hint: string; label: string | null; listed: boolean };

export const rotationPathSchema = z.object({ id: z.string() });

/** Body of `PATCH /api/rotations/{id}`: what is absent stays; `revokeAt` null takes the date back. */
export const planRotationSchema = z
  .strictObject({
    revokeAt: z.iso.datetime({ offset: true }).nullable(),
    places: z.array(rotationPlaceSchema).max(maxPlaces),
  })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, { error: "Name at least one field to change" });
export type RotationPatch = z.infer<typeof planRotationSchema>;

/** What a person wrote of where a token is used, a line or a part between commas each. */
export function placesIn(usedIn: string | null): RotationPlace[] {
  const places = (usedIn ?? "").split(/[\n\r,;]+/).map((place) => place.replaceAll("\t", " ").trim().slice(0, 200));
  return [...new Set(places)]
    .filter(Boolean)
    .slice(0, maxPlaces)
    .map((place) => ({ place, done: false }));
}

export const tokenSorts = ["label", "hint", "environment", "firstSeen", "rotateBy"] as const;
/** `due`: within {@link dueDays} days. */
export const tokenStates = ["appeared", "ordered", "rotating", "overdue", "due"] as const;
export const pageSizes = [25, 50, 100] as const;

/** The part of a table's address that says which page. */
export const paging = {
  page: z.coerce.number().int().min(1).max(1_000_000).catch(1).default(1),
  size: z.coerce
    .number()
    .pipe(z.union([z.literal(25), z.literal(50), z.literal(100)]))
    .catch(50)
    .default(50),
};

/** How many days before its date the rotation of a token counts as due. */
export const dueDays = 14;

/** What the person is looking at; it lives in the page's URL. */
const tokenQuerySchema = z.object({
  q: z.string().trim().max(200).catch("").default(""),
  environment: z.string().min(1).max(50).nullable().catch(null).default(null),
  /** The ID of a connection. */
  connection: z.string().min(1).max(64).nullable().catch(null).default(null),
  labelled: z.enum(["yes", "no"]).nullable().catch(null).default(null),
  state: z.enum(tokenStates).nullable().catch(null).default(null),
  sort: z.enum(tokenSorts).catch("firstSeen").default("firstSeen"),
  order: z.enum(["asc", "desc"]).catch("desc").default("desc"),
  ...paging,
});
export type TokenQuery = z.infer<typeof tokenQuerySchema>;

/** One page of the answer. `matched` counts what the query matches, `total` everything. */
export type TokenPage = {
  rows: Token[];
  total: number;
  matched: number;
  page: number;
  pageCount: number;
  /** The environments in use, for the filter. */
  environments: string[];
};

const defaultQuery: TokenQuery = tokenQuerySchema.parse({});

/** Parses the page's search parameters. Nonsense falls back to the default of that parameter. */
export function parseTokenQuery(parameters: Record<string, string | string[] | undefined>): TokenQuery {
  const query = tokenQuerySchema.parse(firstOf(parameters));
  return { ...query, q: searchText(query.q).text };
}

/** The parameters of an address; a repeated one counts once. */
export function firstOf(parameters: Record<string, string | string[] | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}

export function tokenQueryString(query: TokenQuery): string {
  return queryString(query, defaultQuery);
}

/** The search parameters of a query, without those that are at their default: `?q=ivr&page=2`, or nothing. */
export function queryString<Query extends Record<string, string | number | null>>(
  query: Query,
  defaults: Query,
): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== defaults[name]) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

/** The printable form of a value: `aws80:…c0a9`. Never more than a quarter of the secret part. */
export function tokenHint(value: string): string {
  const colon = value.indexOf(":");
  // Only what looks like a platform ID is shown.
  const prefix = /^[A-Za-z][\w-]{0,15}$/.test(value.slice(0, colon)) ? value.slice(0, colon + 1) : "";
  const secret = value.slice(prefix.length);
  return `${prefix}…${secret.slice(secret.length - Math.min(4, Math.floor(secret.length / 4)))}`;
}

// Without its dashes it is told from the beginning of a longer digest.
const tokenInText =
  /([A-Z0-9][\w.-]{0,31}):([0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}|[0-9A-F]{8}(?:-?[0-9A-F]{4}){3}-?[0-9A-F]{12}(?![0-9A-F]))/i;
const webToken = /\beyJ[\w-]{6,}\.[\w-]+/;
const apiKey = /tdk_[\w-]{20,}/;

/** A text in plain characters: whatever it was wrapped in (percent signs, HTML, wide forms, other dashes) is gone. */
function undressed(text: string): string {
  return text
    .replace(/%(?:25)*([2-7][0-9A-F])/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/&(?:colon|#0*58|#x0*3a);/gi, ":")
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    .replace(/[\p{Pd}\u2212]/gu, "-")
    .replace(/[\u2236\uA789]/gu, ":");
}

/**
 * A token value with its prefix, in whatever dress, an access token, or an API key of our own. A bare UUID is none: other
 * systems name their things so.
 */
export function holdsSecret(text: string): boolean {
  if (hintOf(text) !== null) return true;
  const plain = undressed(text);
  return webToken.test(plain) || apiKey.test(plain);
}

const secretPart = /[0-9A-Fa-f]{8}-[0-9A-Fa-f]{1,4}[0-9A-Fa-f-]*/;
const wholeSecretPart = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;

/** `masked`: the text was a token value, with or without its prefix, or a part of one. */
type SearchText = { text: string; masked: "whole" | "part" | null };

/** What of a typed text may be searched for, and so stand in the address: never a value, nor most of one. */
export function searchText(typed: string): SearchText {
  const hint = hintOf(typed);
  if (hint) return { text: hint, masked: "whole" };
  const found = secretPart.exec(typed)?.[0];
  if (!found) return { text: typed.trim().slice(0, 200), masked: null };
  return wholeSecretPart.test(found) ? { text: `…${found.slice(-4)}`, masked: "whole" } : { text: "", masked: "part" };
}

/** The hint of a token value that stands in a text, so that a pasted value never goes into a search or a URL. */
export function hintOf(text: string): string | null {
  const found = tokenInText.exec(undressed(text));
  return found ? tokenHint(`${found[1]}:${found[2]}`) : null;
}
