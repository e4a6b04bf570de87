import { z } from "zod";
import type { SubAccount } from "@/lib/accounts/schema";
import { text } from "@/lib/tokens/schema";

/**
 * What the incident desk says. There is no token value in it, by structure; times are ISO 8601 in UTC.
 * A finding's `id` is opaque: it holds the value under a seal that only this installation can open, and only for the
 * person who pasted it, so that any replica can act on it and none has to keep it (docs/decisions/0013-incident-desk.md).
 */

/** How much text one scan takes: what is pasted and all files together. */
export const maxScanBytes = 20 * 1024 * 1024;
export const maxScanFiles = 50;
/** A scan that finds more stops there and says so. */
export const maxFindings = 2_000;

export type FindingStatus = "live" | "dead" | "unchecked";

/** Where it stands: `source` is a file's name, null for pasted text. `dress`: how it was written there. */
export type Place = { source: string | null; line: number; dress: string };

/** The RingCX user behind a token, as RingCX told it. `login` in lower case. */
export type TokenUser = {
  id: string;
  login: string | null;
  name: string;
  enabled: boolean;
  roles: string[];
};

/** Another token that is alive for the same user. `leaked`: it is among the findings. */
export type Sibling = { tokenId: string; hint: string; label: string | null; leaked: boolean };

/** What this installation remembers of the token; null in a finding: nothing. */
export type KnownToken = {
  label: string | null;
  purpose: string | null;
  environment: string | null;
  usedIn: string | null;
  owner: string;
  status: "active" | "revoked" | "vanished";
  createdHere: boolean;
  firstSeenAt: string;
  lastSeenAt: string;
  endedAt: string | null;
};

export type Finding = {
  /** With an API key: the token's ID. */
  id: string;
  /** The ID that this token has everywhere else: `/tokens/{tokenId}`. */
  tokenId: string;
  hint: string;
  /** Of the first place; from 1. */
  line: number;
  /** The first 20 of `count`. */
  places: Place[];
  count: number;
  status: FindingStatus;
  /** Why it is said to be that: a sentence. */
  why: string;
  checkedAt: string | null;
  user?: TokenUser;
  /** The first 100 of `accountCount`. */
  accounts?: SubAccount[];
  accountCount?: number;
  /** The first 20 of `siblingCount`. */
  siblings?: Sibling[];
  siblingCount?: number;
  /** The blast radius in a sentence: "Can manage users and read the audit log of 3 sub-accounts of RingForce." */
  reach?: string;
  /** What could not be looked at, a sentence each. */
  notChecked: string[];
  known: KnownToken | null;
};

/** The answer of `POST /api/incidents/scan`. `incident`: names the case from here on; null: nothing was found. */
export type ScanResult = {
  incident: string | null;
  findings: Finding[];
  /** More than {@link maxFindings} stand in it, or it holds packed data that cannot be unpacked: tokens may be left out. */
  truncated: boolean;
  /** How many are not checked yet, because the vendor's budget or the time was used up. */
  unchecked: number;
  /** False: the database is away. Nothing is remembered of this case, and tokens are not matched with the inventory. */
  recorded: boolean;
};

/** A line of the scan as NDJSON (`Accept: application/x-ndjson`); the last is `result` or `failed`. */
export type ScanLine =
  | { type: "matching"; doneBytes: number; totalBytes: number }
  /** All that were found, before RingCX is asked. */
  | { type: "found"; incident: string | null; findings: Finding[]; etaMs: number }
  /** One of them has been looked up. */
  | { type: "finding"; finding: Finding; checked: number; total: number; etaMs: number }
  /** Sent when nothing else was for a few seconds while they are looked up. */
  | { type: "waiting"; checked: number; total: number; etaMs: number }
  | ({ type: "result" } & ScanResult)
  | { type: "failed"; code: string; detail: string; retryAfter?: number };

/** Body of `POST /api/incidents/scan` as JSON. Files come as `multipart/form-data`: `text` and any number of `files`. */
export const scanSchema = z.strictObject({ text: z.string() });

/** Body of `POST /api/incidents/revoke`: IDs of findings. */
export const revokeFindingsSchema = z.strictObject({
  findings: z.array(z.string().min(1).max(2_000)).min(1).max(maxFindings),
  /** Also every other token of the users of these. */
  siblings: z.boolean().default(false),
  reason: text(500),
});
export type RevokeFindings = z.infer<typeof revokeFindingsSchema>;

/** Body of `POST /api/tokens/revoke`: IDs of the caller's own tokens. */
export const revokeManySchema = z.strictObject({
  ids: z.array(z.string().min(1).max(64)).min(1).max(maxFindings),
  reason: text(500).nullish(),
});
export type RevokeMany = z.infer<typeof revokeManySchema>;

/**
 * What became of one token. `revoked`: it was alive, and now it is proven dead. `already_dead`: RingCX refused it before
 * anything was done. `alive`: RingCX would not delete it. `unknown`: nothing proves it dead; treat it as alive.
 */
export type StepOutcome = "revoked" | "already_dead" | "alive" | "unknown";

export type StepProof = { method: "token_refused" | "absent_from_list"; checkedAt: string };

/** A line of `POST /api/incidents/revoke` and of what follows a run (NDJSON): a `step` per token, `summary` last. */
export type RevocationLine =
  | {
      type: "step";
      /** The finding; a sibling that was not pasted has its token ID here. */
      id: string;
      tokenId: string;
      hint: string;
      leaked: boolean;
      outcome: StepOutcome;
      proof: StepProof | null;
      detail: string;
      done: number;
      total: number;
      etaMs: number;
    }
  /** Sent when nothing else was for a few seconds. */
  | { type: "waiting"; done: number; total: number; etaMs: number }
  | ({ type: "summary" } & RunSummary)
  | { type: "failed"; code: string; detail: string; retryAfter?: number };

/**
 * `contained`: every token of the run is proven dead. `partial`: some are not; `interrupted`: the process that worked
 * on it is gone, and the text must be pasted again (or the same request sent again) to go on.
 */
export type RunSummary = {
  incident: string;
  outcome: "contained" | "partial" | "interrupted";
  total: number;
  revoked: number;
  alreadyDead: number;
  alive: number;
  unknown: number;
  /** From the paste to the last proof; null: nothing is proven. */
  secondsToProof: number | null;
  /** False: the audit log could not be written meanwhile; its records follow. */
  logged: boolean;
};

export type IncidentState = "open" | "running" | "contained" | "partial" | "interrupted";

/** A case in the list of the desk. */
export type IncidentSummary = {
  id: string;
  openedAt: string;
  openedBy: string;
  /** `desk`: somebody pasted it; `key`: a scanner reported it; `tokens`: chosen in the list of tokens. */
  origin: IncidentOrigin;
  /** Name of the API key, for `key`. */
  via: string | null;
  state: IncidentState;
  reason: string | null;
  /** How many stood in the text, or were chosen; of these `live` and `unchecked`, when they were looked up. */
  found: number;
  live: number;
  unchecked: number;
  /** Further living tokens of the same users, as far as they were looked at. */
  siblings: number;
  revoked: number;
  unproven: number;
};

export const incidentOrigins = ["desk", "key", "tokens"] as const;
export type IncidentOrigin = (typeof incidentOrigins)[number];

export const incidentPathSchema = z.object({ id: z.string() });
export const reportQuerySchema = z.strictObject({ format: z.enum(["json", "md"]).default("json") });

/** One token of a report. */
export type ReportToken = {
  tokenId: string;
  hint: string;
  /** HMAC of the value with this installation's key, base64url. */
  fingerprint: string;
  leaked: boolean;
  places: Place[];
  label: string | null;
  owner: string | null;
  environment: string | null;
  user: TokenUser | null;
  accounts: SubAccount[];
  reach: string | null;
  status: FindingStatus;
  why: string;
  foundAt: string;
  checkedAt: string | null;
  outcome: StepOutcome | null;
  detail: string | null;
  deletedAt: string | null;
  provenAt: string | null;
  proof: StepProof["method"] | null;
  /** From the paste to the proof, to a tenth. */
  secondsToProof: number | null;
  notChecked: string[];
};

export type ReportEvent = { at: string; what: string };

/** What the vendor's own audit log says that a user changed. */
export type VendorChanges = {
  user: string;
  /** ISO 8601 with an explicit offset, as it was asked for. */
  from: string;
  to: string;
  /** Why there is no answer; null: there is one. */
  unavailable: string | null;
  changes: { at: string; account: string; action: string; what: string }[];
  /** More than those that are kept. */
  truncated: boolean;
  /** What the answer does not cover, a sentence each. */
  notChecked: string[];
};

export type IncidentReport = {
  incident: IncidentSummary;
  generatedAt: string;
  host: string;
  confirmedAt: string | null;
  confirmedBy: string | null;
  finishedAt: string | null;
  siblings: boolean;
  /** Seconds from the paste to the last proof; null: not all is proven. */
  secondsToContainment: number | null;
  totals: {
    found: number;
    live: number;
    dead: number;
    unchecked: number;
    revoked: number;
    alreadyDead: number;
    alive: number;
    unknown: number;
  };
  tokens: ReportToken[];
  timeline: ReportEvent[];
  vendorChanges: VendorChanges[];
  notChecked: string[];
};

/** What a report comes to, in a sentence that claims no more than what was checked. */
export type ReportVerdict = { tone: "good" | "warn" | "danger" | "info"; text: string };

/** A user behind tokens of a report. `accounts`: `RingForce: Sales, Support`, by main account. */
export type ReportUser = {
  name: string;
  login: string | null;
  enabled: boolean;
  roles: string[];
  accounts: string[];
  reach: string[];
  hints: string[];
};
