/**
 * The tables. Columns are portable: text, and whole numbers for times (epoch milliseconds, UTC) and flags (0 or 1).
 * PostgreSQL's bigint is made a number where the pool is made, so both databases answer with the same types.
 */
export type Database = {
  tokens: TokensTable;
  owners: OwnersTable;
  revocation_orders: RevocationOrdersTable;
  audit_chain: AuditChainTable;
  audit_events: AuditEventsTable;
  audit_intents: AuditIntentsTable;
  audit_checkpoints: AuditCheckpointsTable;
  sessions: SessionsTable;
  refresh_states: RefreshStatesTable;
  migrations: MigrationsTable;
};

/** The inventory: what is remembered of each API token. Never its value, in no form that could be turned back. */
export type TokensTable = {
  /** `host|mainAccountId`. Nothing is ever read across tenants. */
  tenant: string;
  /** First 22 characters of the fingerprint. Key, with the tenant. */
  id: string;
  /** HMAC-SHA-256 of the value with FINGERPRINT_KEY, base64url. */
  fingerprint: string;
  hint: string;
  owner_id: string;
  owner_name: string;
  label: string | null;
  purpose: string | null;
  environment: string | null;
  used_in: string | null;
  /** Calendar date: `2026-12-31`. */
  rotate_by: string | null;
  created_here: number;
  /** Set when a list showed it that was not the owner's first, and nothing here had created it. */
  appeared_at: number | null;
  /** When its owner said what it is. */
  adopted_at: number | null;
  /** When the first and the latest list that showed the token were asked for. The latest is kept to the minute. */
  first_seen_at: number;
  last_seen_at: number;
  revoked_at: number | null;
  revoked_proof: string | null;
  /** When the first list that no longer showed it was asked for. */
  vanished_at: number | null;
  /** When its owner took note of that. */
  vanish_noted_at: number | null;
};

/** The RingCX users whose lists were seen. */
type OwnersTable = {
  tenant: string;
  owner_id: string;
  owner_name: string;
  /** The vendor's numeric user ID, where the sign-in told it: it is what the vendor's own user list shows. */
  vendor_id: string | null;
  /** The name that was typed to sign in. */
  login: string | null;
  first_listed_at: number;
  last_listed_at: number;
};

/** "Revoke this as soon as its owner's list shows its value": for tokens whose value is not at hand. */
export type RevocationOrdersTable = {
  id: string;
  tenant: string;
  token_id: string;
  token_hint: string;
  owner_id: string;
  ordered_by_id: string;
  ordered_by_name: string;
  ordered_at: number;
  reason: string | null;
  /** `vanished`: closed because lists no longer showed the token. One that shows it again makes it pending again. */
  state: "pending" | "done" | "vanished" | "cancelled";
  /** When it was last tried, and what came of it. */
  tried_at: number | null;
  /** Somebody is carrying it out, and is done by then, or dead. */
  running_until: number | null;
  trouble: string | null;
  settled_at: number | null;
};

/** The head of the audit log; one row. Whoever updates it holds the chain until the transaction ends. */
export type AuditChainTable = {
  /** Always 1. */
  id: number;
  /** Names this log: another database's log is another chain. */
  chain: string;
  /** Of the newest event; 0: there is none. */
  seq: number;
  hash: string;
  at: number;
  /** What retention has removed: everything up to this event, whose hash the next one names. */
  pruned_seq: number;
  pruned_hash: string | null;
};

/** Append-only. Each row names the hash of the one before it. */
export type AuditEventsTable = {
  seq: number;
  /** UUID; an event that was spooled and is appended twice is recognised by it. */
  id: string;
  /** When it was appended; never earlier than the one before. */
  at: number;
  tenant: string | null;
  action: string;
  outcome: string;
  actor_id: string | null;
  actor_name: string;
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  correlation_id: string;
  token_id: string | null;
  token_hint: string | null;
  reason: string | null;
  /** A JSON object. */
  details: string;
  previous_hash: string;
  hash: string;
};

/** The intents whose outcome is not recorded yet. */
type AuditIntentsTable = {
  /** Of the event `attempted`. */
  id: string;
  correlation_id: string;
  seq: number;
  at: number;
  tenant: string | null;
  actor_id: string | null;
  action: string;
  token_id: string | null;
  /** The process that has it in hand: `host:pid:random`. */
  instance: string;
};

/** Signed statements about the chain, as they also go to the log stream and to a file. */
type AuditCheckpointsTable = {
  chain: string;
  seq: number;
  kind: string;
  /** The signed JSON text, and the Ed25519 signature of it, base64url. */
  statement: string;
  signature: string;
  at: number;
};

/** One row per sign-in. There is no token in it, and the session ID only as a hash. */
export type SessionsTable = {
  /** First 22 characters of the SHA-256 of the session ID, base64url. */
  id: string;
  tenant: string;
  user_id: string;
  user_name: string;
  login: string;
  created_at: number;
  /** To the minute. */
  seen_at: number;
  address: string | null;
  user_agent: string | null;
  ended_at: number | null;
  /** `signed_out`, `ended_by_user`, `ended_by_ops`, `idle`, `expired`, `replaced`, `upstream` */
  end_reason: string | null;
  ended_by: string | null;
};

/** A state of a RingCX sign-in: who renews it at the moment, and what it was renewed to. */
export type RefreshStatesTable = {
  /** Hash of the two tokens. */
  state: string;
  /** The process that renews it, and until when nobody else may. */
  holder: string | null;
  held_until: number;
  /** The successor's tokens, sealed under a key that the predecessor's refresh token gives. */
  successor: string | null;
  /** 1: RingCX has ended this sign-in. */
  ended: number;
  failures: number;
  paused_until: number;
  expires_at: number;
};

type MigrationsTable = { name: string; applied_at: number };
