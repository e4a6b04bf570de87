import { z } from "zod";
import type { Failure } from "@/components/http";
import type { SubAccount } from "@/lib/accounts/schema";
import {
  type Finding,
  type IncidentSummary,
  incidentOrigins,
  type KnownToken,
  type Place,
  type RevocationLine,
  type ScanLine,
  type Sibling,
  type StepProof,
  type TokenUser,
} from "@/lib/incidents/schema";
import { uiTexts } from "@/lib/texts/ui";

const nullableText = z.string().nullable();

const placeSchema = z.object({
  source: nullableText,
  line: z.number(),
  dress: z.string(),
}) satisfies z.ZodType<Place>;

const userSchema = z.object({
  id: z.string(),
  login: nullableText,
  name: z.string(),
  enabled: z.boolean(),
  roles: z.array(z.string()),
}) satisfies z.ZodType<TokenUser>;

const accountSchema = z.object({
  accountId: z.string(),
  accountName: z.string(),
  mainAccountId: z.string(),
  mainAccountName: z.string(),
}) satisfies z.ZodType<SubAccount>;

const siblingSchema = z.object({
  tokenId: z.string(),
  hint: z.string(),
  label: nullableText,
  leaked: z.boolean(),
}) satisfies z.ZodType<Sibling>;

const knownSchema = z.object({
  label: nullableText,
  purpose: nullableText,
  environment: nullableText,
  usedIn: nullableText,
  owner: z.string(),
  status: z.enum(["active", "revoked", "vanished"]),
  createdHere: z.boolean(),
  firstSeenAt: z.string(),
  lastSeenAt: z.string(),
  endedAt: nullableText,
}) satisfies z.ZodType<KnownToken>;

const findingSchema = z.object({
  id: z.string(),
  tokenId: z.string(),
  hint: z.string(),
  line: z.number(),
  places: z.array(placeSchema),
  count: z.number(),
  status: z.enum(["live", "dead", "unchecked"]),
  why: z.string(),
  checkedAt: nullableText,
  user: userSchema.exactOptional(),
  accounts: z.array(accountSchema).exactOptional(),
  accountCount: z.number().exactOptional(),
  siblings: z.array(siblingSchema).exactOptional(),
  siblingCount: z.number().exactOptional(),
  reach: z.string().exactOptional(),
  notChecked: z.array(z.string()),
  known: knownSchema.nullable(),
}) satisfies z.ZodType<Finding>;

const resultShape = {
  incident: nullableText,
  findings: z.array(findingSchema),
  truncated: z.boolean(),
  unchecked: z.number(),
  recorded: z.boolean(),
};

const failedSchema = z.object({
  type: z.literal("failed"),
  code: z.string(),
  detail: z.string(),
  retryAfter: z.number().exactOptional(),
});

/** Why an answer is none of ours, which all come in lines of JSON; null: it is one. */
export function foreignAnswer({ headers, status }: Response): Failure | null {
  if (headers.get("content-type")?.split(";")[0]?.trim() === "application/x-ndjson") return null;
  const detail = uiTexts.failures.unreadableWhy(status);
  return {
    code: "unreadable",
    title: uiTexts.failures.unreadable,
    detail,
    requestId: null,
    retryAfter: null,
    body: null,
  };
}

/** A line of `POST /api/incidents/scan`. */
export const scanLineSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("matching"), doneBytes: z.number(), totalBytes: z.number() }),
  z.object({
    type: z.literal("found"),
    incident: nullableText,
    findings: z.array(findingSchema),
    etaMs: z.number(),
  }),
  z.object({
    type: z.literal("finding"),
    finding: findingSchema,
    checked: z.number(),
    total: z.number(),
    etaMs: z.number(),
  }),
  z.object({ type: z.literal("result"), ...resultShape }),
  z.object({ type: z.literal("waiting"), checked: z.number(), total: z.number(), etaMs: z.number() }),
  failedSchema,
]) satisfies z.ZodType<ScanLine>;

const proofSchema = z.object({
  method: z.enum(["token_refused", "absent_from_list"]),
  checkedAt: z.string(),
}) satisfies z.ZodType<StepProof>;

const paceShape = { done: z.number(), total: z.number(), etaMs: z.number() };

/** A line of `POST /api/incidents/revoke` and of `POST /api/incidents/{id}/follow`. */
export const revocationLineSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("step"),
    id: z.string(),
    tokenId: z.string(),
    hint: z.string(),
    leaked: z.boolean(),
    outcome: z.enum(["revoked", "already_dead", "alive", "unknown"]),
    proof: proofSchema.nullable(),
    detail: z.string(),
    ...paceShape,
  }),
  z.object({ type: z.literal("waiting"), ...paceShape }),
  z.object({
    type: z.literal("summary"),
    incident: z.string(),
    outcome: z.enum(["contained", "partial", "interrupted"]),
    total: z.number(),
    revoked: z.number(),
    alreadyDead: z.number(),
    alive: z.number(),
    unknown: z.number(),
    secondsToProof: z.number().nullable(),
    logged: z.boolean(),
  }),
  failedSchema,
]) satisfies z.ZodType<RevocationLine>;

/** `GET /api/incidents`. */
export const incidentsSchema = z.object({
  incidents: z.array(
    z.object({
      id: z.string(),
      openedAt: z.string(),
      openedBy: z.string(),
      origin: z.enum(incidentOrigins),
      via: nullableText,
      state: z.enum(["open", "running", "contained", "partial", "interrupted"]),
      reason: nullableText,
      found: z.number(),
      live: z.number(),
      unchecked: z.number(),
      siblings: z.number(),
      revoked: z.number(),
      unproven: z.number(),
    }) satisfies z.ZodType<IncidentSummary>,
  ),
});

/** The report of a case. */
export const incidentPath = (id: string) => `/incident/${encodeURIComponent(id)}`;
