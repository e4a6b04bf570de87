import "server-only";
import { randomBytes } from "node:crypto";
import type { ExpressionBuilder, Kysely, Selectable, SelectQueryBuilder } from "kysely";
import { z } from "zod";
import type { SubAccount } from "@/lib/accounts/schema";
import { inHand } from "@/lib/audit/log";
import { fateOfProcess } from "@/lib/audit/process";
import { read, write } from "@/lib/db/client";
import type { Database, IncidentsTable, IncidentTokensTable } from "@/lib/db/schema";
import type { Investigator } from "@/lib/incidents/investigator";
import type {
  FindingStatus,
  IncidentOrigin,
  IncidentState,
  IncidentSummary,
  Place,
  StepOutcome,
  StepProof,
  TokenUser,
} from "@/lib/incidents/schema";
import { ifReachable, iso } from "@/lib/tokens/held";
import { storable } from "@/lib/tokens/inventory";

/**
 * The cases of the incident desk, as far as they can be remembered: an incident goes on without the database, so what
 * writes here answers whether it could, and does not throw for that.
 */

export type CaseRow = Selectable<IncidentsTable>;
export type CaseTokenRow = Selectable<IncidentTokensTable>;

/** Whoever wants to see a case. A Session is one, and an Investigator, which has no role. */
export type CaseReader = { tenant: string; user: { id: string; role?: "member" | "ops" | "admin" } };

type NewCase = {
  id: string;
  host: string;
  /** When the text came in, epoch milliseconds; default: now. */
  openedAt?: number;
  textBytes: number;
  files: number;
  /** How many tokens stood in it. */
  found: number;
  /** Default: the investigator's. */
  origin?: IncidentOrigin;
};

/** What a scan learned of a token. Times: epoch milliseconds. */
export type CaseToken = {
  tokenId: string;
  fingerprint: string;
  hint: string;
  /** It stood in the text; false: it is a sibling of one that did. */
  leaked: boolean;
  places: Place[];
  foundAt: number;
  status: FindingStatus;
  why: string;
  checkedAt: number | null;
  user: TokenUser | null;
  accounts: SubAccount[] | null;
  reach: string | null;
  notChecked: string[];
};

/** SQLite takes 32,766 parameters in one statement; a row has 22. */
const batchSize = 1_000;
const listed = 50;

const lockOf = (incident: string) => `incident:${incident}`;

/** Opens a case, once. @returns false: the database is away, and nothing is remembered of it */
export async function openCase(investigator: Investigator, opened: NewCase): Promise<boolean> {
  const row = caseRow(investigator, opened);
  return reached(
    write(lockOf(opened.id), (trx) =>
      trx
        .insertInto("incidents")
        .values(row)
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute(),
    ),
  );
}

function caseRow(investigator: Investigator, opened: NewCase): CaseRow {
  return {
    id: opened.id,
    tenant: investigator.tenant,
    host: opened.host,
    origin: opened.origin ?? investigator.origin,
    opened_by_id: investigator.user.id,
    opened_by_name: investigator.user.name,
    key_name: investigator.keyName,
    opened_at: opened.openedAt ?? Date.now(),
    text_bytes: opened.textBytes,
    files: opened.files,
    found: opened.found,
    reason: null,
    siblings: 0,
    confirmed_at: null,
    confirmed_by_name: null,
    finished_at: null,
    vendor_changes: null,
    holder: null,
    held_until: 0,
    spent: null,
  };
}

async function reached(work: Promise<unknown>): Promise<boolean> {
  return (await ifReachable(work.then(() => true))) ?? false;
}

/**
 * Notes what is known of tokens of a case; what was noted of the same tokens before is replaced, but for those that are
 * proven dead: of these it stays.
 * @returns false: the database is away
 */
export async function noteFindings(
  tenant: string,
  incidentId: string,
  findings: readonly CaseToken[],
): Promise<boolean> {
  if (findings.length === 0) return true;
  return reached(
    write(lockOf(incidentId), async (trx) => {
      for (let from = 0; from < findings.length; from += batchSize) {
        const rows = findings.slice(from, from + batchSize).map((token) => tokenRow(tenant, incidentId, token));
        await trx
          .insertInto("incident_tokens")
          .values(rows)
          .onConflict((conflict) =>
            conflict
              .columns(["incident_id", "token_id"])
              .doUpdateSet((eb) => ({
                leaked: eb.ref("excluded.leaked"),
                places: eb.ref("excluded.places"),
                found_at: eb.ref("excluded.found_at"),
                status: eb.ref("excluded.status"),
                why: eb.ref("excluded.why"),
                checked_at: eb.ref("excluded.checked_at"),
                token_user: eb.ref("excluded.token_user"),
                accounts: eb.ref("excluded.accounts"),
                reach: eb.ref("excluded.reach"),
                not_checked: eb.ref("excluded.not_checked"),
              }))
              .where((eb) => notProven(eb, tenant)),
          )
          .execute();
      }
    }),
  );
}

function notProven(eb: ExpressionBuilder<Database, "incident_tokens">, tenant: string) {
  return eb.and([
    eb("incident_tokens.tenant", "=", tenant),
    eb.or([eb("incident_tokens.step", "is", null), eb("incident_tokens.step", "not in", ["revoked", "already_dead"])]),
  ]);
}

function tokenRow(tenant: string, incidentId: string, token: CaseToken): CaseTokenRow {
  return {
    incident_id: incidentId,
    token_id: token.tokenId,
    tenant,
    fingerprint: token.fingerprint,
    hint: token.hint,
    leaked: token.leaked ? 1 : 0,
    places: JSON.stringify(token.places),
    found_at: token.foundAt,
    status: token.status,
    why: storable(token.why) ?? "",
    checked_at: token.checkedAt,
    token_user: token.user === null ? null : JSON.stringify(token.user),
    accounts: token.accounts === null ? null : JSON.stringify(token.accounts),
    reach: storable(token.reach),
    not_checked: JSON.stringify(token.notChecked),
    position: null,
    step: null,
    detail: null,
    deleted_at: null,
    proven_at: null,
    proof: null,
    siblings_known: null,
  };
}

/** A case with its tokens, the leaked ones first; null: there is none. @throws {DatabaseUnavailable} */
export async function readCase(
  tenant: string,
  id: string,
): Promise<{ incident: CaseRow; tokens: CaseTokenRow[] } | null> {
  return read((db) => caseOf(db, tenant, id));
}

async function caseOf(db: Kysely<Database>, tenant: string, id: string) {
  const incident = await db
    .selectFrom("incidents")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .executeTakeFirst();
  if (incident === undefined) return null;
  const tokens = await db
    .selectFrom("incident_tokens")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("incident_id", "=", id)
    .orderBy("leaked", "desc")
    .orderBy("found_at")
    .orderBy("token_id")
    .execute();
  return { incident, tokens };
}

/** Who opened it may read it, and ops and admins of the main account. For all others there is no such case. */
export function mayRead(reader: CaseReader, incident: Pick<CaseRow, "tenant" | "opened_by_id">): boolean {
  const overseer = reader.user.role === "ops" || reader.user.role === "admin";
  return reader.tenant === incident.tenant && (overseer || reader.user.id === incident.opened_by_id);
}

/** The newest 50, of everybody or of one. @throws {DatabaseUnavailable} */
export async function listCases(tenant: string, filter: { openedBy?: string } = {}): Promise<IncidentSummary[]> {
  const { openedBy } = filter;
  return read(async (db) => {
    const cases = await db
      .selectFrom("incidents")
      .selectAll()
      .where("tenant", "=", tenant)
      .$if(openedBy !== undefined, (query) => query.where("opened_by_id", "=", openedBy as string))
      .orderBy("opened_at", "desc")
      .orderBy("id")
      .limit(listed)
      .execute();
    if (cases.length === 0) return [];
    const counts = await db
      .selectFrom("incident_tokens")
      .select(["incident_id", "status", "step", "leaked"])
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .where("tenant", "=", tenant)
      .where(
        "incident_id",
        "in",
        cases.map(({ id }) => id),
      )
      .groupBy(["incident_id", "status", "step", "leaked"])
      .execute();
    return cases.map((incident) => {
      const own = counts.filter(({ incident_id }) => incident_id === incident.id);
      return summaryOf(incident, own);
    });
  });
}

/** `tokens`: of this case; each counts as often as its `count` says. */
export function summaryOf(incident: CaseRow, tokens: readonly (TokenState & { count?: number })[]): IncidentSummary {
  const sum = (wanted: (token: TokenState) => boolean) =>
    tokens.reduce((total, token) => total + (wanted(token) ? (token.count ?? 1) : 0), 0);
  const open = sum(isOpen);
  // What was chosen in the list of tokens has not leaked.
  const isMeant = ({ leaked }: TokenState) => leaked === 1 || incident.origin === "tokens";
  return {
    id: incident.id,
    openedAt: iso(incident.opened_at) as string,
    openedBy: incident.opened_by_name,
    origin: incident.origin as IncidentOrigin,
    via: incident.key_name,
    state: stateOf(incident, open),
    reason: incident.reason,
    found: incident.found,
    live: sum((token) => isMeant(token) && token.status === "live"),
    unchecked: sum((token) => isMeant(token) && token.status === "unchecked"),
    siblings: sum((token) => !isMeant(token) && token.status === "live"),
    revoked: sum(({ step }) => step === "revoked"),
    // Of a case that nobody has confirmed nothing is to be proven yet.
    unproven: incident.confirmed_at === null ? 0 : open,
  };
}

export function isProven(step: string | null): boolean {
  return step === "revoked" || step === "already_dead";
}

type TokenState = Pick<CaseTokenRow, "status" | "step" | "leaked">;

/** Chosen and not proven dead; or it leaked, was not chosen, and was not dead when it was looked up. */
export function isOpen({ status, step, leaked }: TokenState): boolean {
  return step === null ? leaked === 1 && status !== "dead" : !isProven(step);
}

function stateOf(incident: CaseRow, open: number): IncidentState {
  if (incident.confirmed_at === null) return "open";
  if (incident.finished_at !== null) return open === 0 ? "contained" : "partial";
  return isHeld(incident, Date.now()) ? "running" : "interrupted";
}

/** One name for all bundles of this process. */
const thisProcess = () => inHand().instance;

/** A name for a run: that of its process, and one part more. */
export function nameRun(): string {
  return `${thisProcess()}:${randomBytes(6).toString("hex")}`;
}

function isHere(holder: string): boolean {
  return holder === thisProcess() || holder.startsWith(`${thisProcess()}:`);
}

/** Some process carries its revocation out. */
export function isHeld({ holder, held_until }: Pick<CaseRow, "holder" | "held_until">, now: number): boolean {
  return holder !== null && held_until > now && (isHere(holder) || fateOfProcess(holder) !== "gone");
}

/** How a token of a run stands. `sent`: a deletion may have arrived at RingCX, and nobody knows what became of it. */
type RunStep = "waiting" | "sent" | StepOutcome;

/** A token of a run. Times: epoch milliseconds. */
export type StepRow = {
  tokenId: string;
  fingerprint: string;
  hint: string;
  leaked: boolean;
  position: number;
  step: RunStep;
  detail: string | null;
  deletedAt: number | null;
  provenAt: number | null;
  proof: StepProof["method"] | null;
  /** For one that the scan did not note: what the run saw of it. */
  status: FindingStatus;
  why: string;
  seenAt: number;
  user: TokenUser | null;
  /** A run has seen its user's list, and its siblings have rows. */
  siblingsKnown: boolean;
};

/** The RingCX user whom the scan found behind a token. */
export function userIn(json: string | null): TokenUser | null {
  try {
    const user = JSON.parse(json ?? "null") as TokenUser | null;
    return typeof user?.id === "string" ? user : null;
  } catch {
    return null;
  }
}

/** A step of an earlier run of the case; null: the token was never chosen. */
export function rememberedStep(row: CaseTokenRow): StepRow | null {
  if (row.step === null) return null;
  return {
    tokenId: row.token_id,
    fingerprint: row.fingerprint,
    hint: row.hint,
    leaked: row.leaked === 1,
    position: row.position ?? 0,
    step: row.step as StepRow["step"],
    detail: row.detail,
    deletedAt: row.deleted_at,
    provenAt: row.proven_at,
    proof: row.proof as StepProof["method"] | null,
    status: row.status as StepRow["status"],
    why: row.why,
    seenAt: row.found_at,
    user: userIn(row.token_user),
    siblingsKnown: row.siblings_known === 1,
  };
}

/** Second since the epoch, and how many calls ended in it. */
export type Spent = [second: number, calls: number][];
const spentSchema = z.array(z.tuple([z.number(), z.number()])).max(1_000);

function spentIn(json: string | null): Spent {
  try {
    return spentSchema.parse(JSON.parse(json ?? "[]"));
  } catch {
    return [];
  }
}

/** A process that says nothing for so long has lost its case. */
const heldForMs = 20_000;

/** What is asked for of a case. */
export type Wanted = { siblings: boolean; tokenIds: readonly string[] };

/**
 * Takes a case for a run, or takes it over from a process that is gone, or from an earlier run of this one; it is opened
 * if it could not be before.
 * @returns it as it was left, with when its text came in, and what its last process used of the vendor's budget, by
 * second; `held`: another process works on it; `done`: it is over, and what is asked for is proven
 * @throws {DatabaseUnavailable}
 */
export async function takeCase(
  investigator: Investigator,
  opened: NewCase,
  confirmed: Wanted & { reason: string | null; at: number; holder: string },
): Promise<{ tokens: CaseTokenRow[]; openedAt: number; spent: Spent } | "held" | "done"> {
  const fresh = caseRow(investigator, opened);
  return write(lockOf(opened.id), async (trx) => {
    const known = await caseOf(trx, investigator.tenant, opened.id);
    const now = Date.now();
    if (known === null) await trx.insertInto("incidents").values(fresh).execute();
    else if (isHeld(known.incident, now) && !isHere(known.incident.holder ?? "")) return "held";
    else if (isDone(known, confirmed)) return "done";
    // What was interrupted goes on as it was confirmed.
    const goesOn = known !== null && known.incident.confirmed_at !== null && known.incident.finished_at === null;
    await trx
      .updateTable("incidents")
      .set({ holder: confirmed.holder, held_until: now + heldForMs, finished_at: null })
      .$if(confirmed.siblings, (query) => query.set({ siblings: 1 }))
      .$if(!goesOn, (query) =>
        query.set({
          reason: storable(confirmed.reason),
          confirmed_at: confirmed.at,
          confirmed_by_name: investigator.user.name,
        }),
      )
      .where("tenant", "=", investigator.tenant)
      .where("id", "=", opened.id)
      .execute();
    const successor = known?.incident.holder && !isHere(known.incident.holder);
    return {
      tokens: known?.tokens ?? [],
      openedAt: known?.incident.opened_at ?? fresh.opened_at,
      spent: successor ? spentIn(known.incident.spent) : [],
    };
  });
}

/** It is over, and what is asked for is proven. */
export function isDone(
  { incident, tokens }: { incident: CaseRow; tokens: readonly CaseTokenRow[] },
  { siblings, tokenIds }: Wanted,
): boolean {
  if (incident.finished_at === null || (siblings && incident.siblings === 0)) return false;
  const proven = new Set(tokens.flatMap(({ token_id, step }) => (isProven(step) ? [token_id] : [])));
  const open = siblings && tokens.some(({ leaked, step }) => leaked === 0 && !isProven(step));
  return !open && tokenIds.every((id) => proven.has(id));
}

/**
 * Writes down how tokens of a run stand, and that the run goes on. What is proven stays so. `forgotten`: IDs of rows that
 * stood for tokens of which nothing was known, and which are known now. Of a run whose case is in other hands by now, and
 * of one without a `holder`, only the proofs are written.
 * @returns whether it has the case
 * @throws {DatabaseUnavailable}
 */
export async function saveSteps(
  { tenant, incident, holder }: { tenant: string; incident: string; holder: string | null },
  { rows: all, forgotten, spent }: { rows: readonly StepRow[]; forgotten: readonly string[]; spent: Spent },
): Promise<boolean> {
  return write(lockOf(incident), async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable("incidents")
      .set({ holder, held_until: Date.now() + heldForMs, spent: JSON.stringify(spent) })
      .where("tenant", "=", tenant)
      .where("id", "=", incident)
      // It was given up for gone while the database was away, and nobody has taken it over.
      .where((eb) =>
        holder === null
          ? eb.lit(false)
          : eb.or([eb("holder", "=", holder), eb.and([eb("holder", "is", null), eb("finished_at", "is", null)])]),
      )
      .executeTakeFirst();
    const isOurs = numUpdatedRows > 0n;
    const rows = isOurs ? all : all.filter(({ step }) => isProven(step));
    if (isOurs && forgotten.length > 0) {
      await trx
        .deleteFrom("incident_tokens")
        .where("tenant", "=", tenant)
        .where("incident_id", "=", incident)
        .where("token_id", "in", [...forgotten])
        .execute();
    }
    for (let from = 0; from < rows.length; from += batchSize) {
      const batch = rows.slice(from, from + batchSize).map((row) => ({
        ...tokenRow(tenant, incident, {
          ...row,
          places: [],
          foundAt: row.seenAt,
          checkedAt: row.status === "unchecked" ? null : row.seenAt,
          accounts: null,
          reach: null,
          notChecked: [],
        }),
        position: row.position,
        step: row.step,
        detail: storable(row.detail),
        deleted_at: row.deletedAt,
        proven_at: row.provenAt,
        proof: row.proof,
        siblings_known: row.siblingsKnown ? 1 : null,
      }));
      await trx
        .insertInto("incident_tokens")
        .values(batch)
        .onConflict((conflict) =>
          conflict
            .columns(["incident_id", "token_id"])
            .doUpdateSet((eb) => ({
              position: eb.ref("excluded.position"),
              step: eb.ref("excluded.step"),
              detail: eb.ref("excluded.detail"),
              deleted_at: eb.ref("excluded.deleted_at"),
              proven_at: eb.ref("excluded.proven_at"),
              proof: eb.ref("excluded.proof"),
              siblings_known: eb.ref("excluded.siblings_known"),
            }))
            .where((eb) => notProven(eb, tenant)),
        )
        .execute();
    }
    return isOurs;
  });
}

/** Lets go of a case whose run is over, unless another run has it. @throws {DatabaseUnavailable} */
export async function finishCase(
  { tenant, incident, holder }: { tenant: string; incident: string; holder: string },
  at: number,
): Promise<void> {
  await write(lockOf(incident), (trx) =>
    trx
      .updateTable("incidents")
      .set({ holder: null, held_until: 0, spent: null, finished_at: at })
      .where("tenant", "=", tenant)
      .where("id", "=", incident)
      .where("holder", "=", holder)
      .execute(),
  );
}

/** Of a process that says nothing for so much longer than it may, nobody has taken the case over. */
const goneAfterMs = 60_000;

/** Cases whose process is gone, and of which nobody has been told. @throws {DatabaseUnavailable} */
export async function lapsedCases(): Promise<Pick<CaseRow, "tenant" | "id">[]> {
  return read((db) => lapsed(db.selectFrom("incidents").select(["tenant", "id"])).execute());
}

/** @returns whether it was lapsed, and nobody else has noticed. @throws {DatabaseUnavailable} */
export async function releaseLapsed(tenant: string, incidentId: string): Promise<boolean> {
  return write(lockOf(incidentId), async (trx) => {
    const stale = lapsed(trx.selectFrom("incidents").select("id"))
      .where("tenant", "=", tenant)
      .where("id", "=", incidentId);
    const { numUpdatedRows } = await trx
      .updateTable("incidents")
      .set({ holder: null })
      .where("tenant", "=", tenant)
      .where("id", "in", stale)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  });
}

function lapsed<Row>(
  query: SelectQueryBuilder<Database, "incidents", Row>,
): SelectQueryBuilder<Database, "incidents", Row> {
  return query
    .where("confirmed_at", "is not", null)
    .where("finished_at", "is", null)
    .where("holder", "is not", null)
    .where("held_until", "<", Date.now() - goneAfterMs);
}

/**
 * Tokens of a case are proven dead: settles them in the tenant's other cases as well, unless somebody works on these, and
 * closes those in which nothing is left to prove.
 * @throws {DatabaseUnavailable}
 */
export async function settleElsewhere(tenant: string, incidentId: string, tokenIds: readonly string[]): Promise<void> {
  for (let from = 0; from < tokenIds.length; from += batchSize) {
    const ids = tokenIds.slice(from, from + batchSize);
    const others = await read((db) =>
      db
        .selectFrom("incident_tokens")
        .select("incident_id")
        .distinct()
        .where("tenant", "=", tenant)
        .where("incident_id", "!=", incidentId)
        .where("token_id", "in", ids)
        .where("step", "is not", null)
        .where((eb) => notProven(eb, tenant))
        .execute(),
    );
    for (const { incident_id } of others) await settleIn(tenant, incident_id, incidentId, ids);
  }
}

async function settleIn(tenant: string, id: string, provenIn: string, tokenIds: readonly string[]): Promise<void> {
  await write(lockOf(id), async (trx) => {
    const [known, proving] = [await caseOf(trx, tenant, id), await caseOf(trx, tenant, provenIn)];
    if (known === null || proving === null || isHeld(known.incident, Date.now())) return;
    const wanted = new Set(tokenIds);
    const proofs = new Map(proving.tokens.flatMap((row) => (isProven(row.step) ? [[row.token_id, row]] : [])));
    let left = 0;
    for (const row of known.tokens) {
      if (row.step === null || isProven(row.step)) continue;
      const proven = wanted.has(row.token_id) ? proofs.get(row.token_id) : undefined;
      if (proven === undefined) {
        left += 1;
        continue;
      }
      await trx
        .updateTable("incident_tokens")
        .set({
          // It lived when that case looked at it.
          step: row.status === "live" ? "revoked" : proven.step,
          detail: "Proven dead in another incident.",
          proven_at: proven.proven_at,
          proof: proven.proof,
        })
        .where("tenant", "=", tenant)
        .where("incident_id", "=", id)
        .where("token_id", "=", row.token_id)
        .execute();
    }
    if (left > 0) return;
    await trx
      .updateTable("incidents")
      .set({ holder: null, held_until: 0, spent: null, finished_at: Date.now() })
      .where("tenant", "=", tenant)
      .where("id", "=", id)
      .where("confirmed_at", "is not", null)
      .where("finished_at", "is", null)
      .execute();
  });
}
