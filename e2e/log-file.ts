/** The audit log as it lies in the database, read past the application, for tests that judge what it wrote. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";

export type LoggedEvent = {
  seq: number;
  id: string;
  action: string;
  outcome: "attempted" | "succeeded" | "failed" | "unknown";
  correlationId: string;
  token: { id: string | null; hint: string | null } | null;
  reason: string | null;
  details: Record<string, unknown>;
};

type Row = Record<string, string | number | null>;

export type LogFile = {
  /** Every event after that one, the oldest first. */
  events(after?: number): Promise<LoggedEvent[]>;
  /** The actions of the intents that have no outcome yet. */
  openIntents(): Promise<string[]>;
  /** Moves open intents, the first sight of tokens and orders under way into the past, as if that time had gone by. */
  age(ms: number): Promise<void>;
  /** Keeps everybody else from writing; the function that it gives lets them. */
  holdWrites(): Promise<() => Promise<void>>;
  /** What is wrong with the hash chain, worked out without the code under test; empty: nothing. */
  chainProblems(): Promise<string[]>;
  close(): Promise<void>;
};

const eventsSql = "select * from audit_events where seq > ";
const intentsSql = "select action from audit_intents order by seq";
const headSql = "select chain, seq, hash from audit_chain";

/** Each look has a connection of its own, so that a server that comes up finds the files as the last one left them. */
export function sqliteLog(dataDir: string): LogFile {
  const path = join(dataDir, "tokendesk.db");
  const ask = async (sql: string): Promise<Row[]> => {
    const file = new DatabaseSync(path, { readOnly: true, timeout: 2000 });
    try {
      return file.prepare(sql).all() as Row[];
    } finally {
      file.close();
    }
  };
  const change = async (sql: string) => {
    const file = new DatabaseSync(path, { timeout: 5000 });
    try {
      file.exec(sql);
    } finally {
      file.close();
    }
  };
  return logOf(ask, change, async () => {
    const file = new DatabaseSync(path, { timeout: 2000 });
    file.exec("begin immediate");
    return async () => {
      file.exec("rollback");
      file.close();
    };
  });
}

export function postgresLog(url: string): LogFile {
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  const ask = async (sql: string) => (await pool.query<Row>(sql)).rows;
  const hold = async () => {
    const client = await pool.connect();
    await client.query("begin");
    await client.query("lock table audit_chain, tokens, revocation_orders in exclusive mode");
    return async () => {
      await client.query("rollback");
      client.release();
    };
  };
  const change = async (sql: string) => {
    await pool.query(sql);
  };
  // `end()` alone does not wait for its connections, and a server that ends meanwhile tells them so, as an error.
  const close = async () => {
    let open = pool.totalCount;
    const closed = Promise.withResolvers<void>();
    pool.on("remove", () => {
      open -= 1;
      if (open === 0) closed.resolve();
    });
    if (open === 0) closed.resolve();
    await Promise.all([pool.end(), closed.promise]);
  };
  return { ...logOf(ask, change, hold), close };
}

function logOf(
  ask: (sql: string) => Promise<Row[]>,
  change: (sql: string) => Promise<void>,
  holdWrites: LogFile["holdWrites"],
): LogFile {
  return {
    events: async (after = 0) => (await ask(`${eventsSql}${after} order by seq`)).map(eventOf),
    openIntents: async () => (await ask(intentsSql)).map(({ action }) => String(action)),
    age: async (ms) => {
      await change(`update tokens set first_seen_at = first_seen_at - ${ms}`);
      await change(`update revocation_orders set running_until = running_until - ${ms}`);
      await change(`update audit_intents set at = at - ${ms}`);
    },
    holdWrites,
    chainProblems: async () => {
      const [head] = await ask(headSql);
      return problemsIn(await ask(`${eventsSql}0 order by seq`), head);
    },
    close: async () => {},
  };
}

function eventOf(row: Row): LoggedEvent {
  return {
    seq: Number(row.seq),
    id: String(row.id),
    action: String(row.action),
    outcome: row.outcome as LoggedEvent["outcome"],
    correlationId: String(row.correlation_id),
    token:
      row.token_id === null && row.token_hint === null
        ? null
        : { id: row.token_id as string | null, hint: row.token_hint as string | null },
    reason: row.reason as string | null,
    details: JSON.parse(String(row.details)) as Record<string, unknown>,
  };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}

/** docs/decisions/0010-audit-log.md: SHA-256 of the event's canonical JSON with the chain's ID and the previous hash. */
function problemsIn(rows: Row[], head: Row | undefined): string[] {
  const problems: string[] = [];
  const ids = new Set<unknown>();
  let previous = "0".repeat(64);
  rows.forEach((row, index) => {
    const { token, details } = eventOf(row);
    const event = {
      chain: head?.chain,
      seq: Number(row.seq),
      id: row.id,
      at: new Date(Number(row.at)).toISOString(),
      tenant: row.tenant,
      action: row.action,
      outcome: row.outcome,
      actor: { id: row.actor_id, name: row.actor_name },
      address: row.address,
      userAgent: row.user_agent,
      requestId: row.request_id,
      correlationId: row.correlation_id,
      token,
      reason: row.reason,
      details,
      previousHash: row.previous_hash,
    };
    const hash = createHash("sha256")
      .update(JSON.stringify(sorted(event)))
      .digest("hex");
    if (Number(row.seq) !== index + 1) problems.push(`event ${row.seq} stands at place ${index + 1}`);
    if (row.previous_hash !== previous) problems.push(`event ${row.seq} does not follow the one before it`);
    if (row.hash !== hash) problems.push(`event ${row.seq} is not what its hash says`);
    if (ids.has(row.id)) problems.push(`event ${row.seq} stands there twice`);
    ids.add(row.id);
    previous = String(row.hash);
  });
  if (head === undefined) return ["the chain has no head"];
  if (Number(head.seq) !== rows.length || head.hash !== previous) problems.push("the head is not the last event");
  return problems;
}
