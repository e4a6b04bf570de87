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
  incidents: IncidentsTable;
  incident_tokens: IncidentTokensTable;
  rotations: RotationsTable;
  reminders: RemindersTable;
  api_keys: ApiKeysTable;
  notifications: NotificationsTable;
  ringex_exchanges: RingexExchangesTable;
  ringex_tokens: RingexTokensTable;
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

/** A case of the incident desk. Neither the text nor a value is kept. */
export type IncidentsTable = {
  id: string;
  tenant: string;
  host: string;
  /** `desk`, `key` or `tokens`. */
  origin: string;
  opened_by_id: string;
  opened_by_name: string;
  /** Of the API key that reported it. */
  key_name: string | null;
  /** When the text came in: what "seconds from the paste" counts from. */
  opened_at: number;
  text_bytes: number;
  files: number;
  found: number;
  /** Set when its revocation is confirmed. */
  reason: string | null;
  siblings: number;
  confirmed_at: number | null;
  confirmed_by_name: string | null;
  finished_at: number | null;
  /** JSON: what the vendor's audit log says that the users of the tokens changed; null: it was not asked. */
  vendor_changes: string | null;
  /** The process that carries the revocation out, and until when nobody else may. */
  holder: string | null;
  held_until: number;
  /** JSON: `[[second, calls], ...]`, what it used of the vendor's budget lately, for whoever takes over. */
  spent: string | null;
};

/** A token of a case: found in the text, or a sibling of one that was. */
export type IncidentTokensTable = {
  incident_id: string;
  token_id: string;
  tenant: string;
  fingerprint: string;
  hint: string;
  /** 1: it stood in the text. */
  leaked: number;
  /** JSON: the first places. */
  places: string;
  found_at: number;
  /** `live`, `dead`, `unchecked` */
  status: string;
  why: string;
  checked_at: number | null;
  /** JSON. */
  token_user: string | null;
  accounts: string | null;
  reach: string | null;
  not_checked: string;
  /** Its place in the run; null: not chosen. */
  position: number | null;
  /** `waiting`, `sent` (a deletion may have arrived), `revoked`, `already_dead`, `alive`, `unknown`; null: not chosen. */
  step: string | null;
  detail: string | null;
  /** When RingCX last answered a deletion, or none came. */
  deleted_at: number | null;
  proven_at: number | null;
  proof: string | null;
  /** 1: a run has seen its user's list, and its siblings have rows. */
  siblings_known: number | null;
};

/** A token that is being replaced by another one, with both alive until its owner says otherwise. */
export type RotationsTable = {
  id: string;
  tenant: string;
  old_token_id: string;
  old_hint: string;
  new_token_id: string;
  new_hint: string;
  owner_id: string;
  owner_name: string;
  started_at: number;
  /** When the old one is to be revoked; null: not decided. */
  revoke_at: number | null;
  /** JSON: `[{place, done}]`, where the old one was used. */
  places: string;
  /** `open`, `ordered` (its date has come: it is revoked at the owner's next list), `done`, `cancelled` */
  state: string;
  settled_at: number | null;
};

/** What was told once is not told again, by whichever replica. */
type RemindersTable = {
  tenant: string;
  token_id: string;
  /** `due`, `overdue`, `revoke_at` */
  kind: string;
  /** The date that it is about. */
  due: string;
  sent_at: number;
};

/** Keys with which scanners report. The key itself is kept nowhere. */
export type ApiKeysTable = {
  id: string;
  tenant: string;
  host: string;
  name: string;
  /** SHA-256 of the key, hex. It has 256 random bits: a slow hash would add nothing. */
  key_hash: string;
  /** Its last four characters. */
  hint: string;
  /** Comma-separated: `report`, `revoke`. */
  scopes: string;
  created_by_id: string;
  created_by_name: string;
  created_at: number;
  last_used_at: number | null;
  expires_at: number | null;
  revoked_at: number | null;
};

/** The outbox: an event for one receiver. */
export type NotificationsTable = {
  id: string;
  tenant: string | null;
  type: string;
  /** `webhook` or `slack`, and which of the configured ones, by the hash of its address. */
  channel: string;
  target: string;
  /** JSON, as it is sent. */
  payload: string;
  created_at: number;
  attempts: number;
  next_at: number;
  /** `pending`, `sent`, `dead` */
  state: string;
  trouble: string | null;
  held_until: number;
  settled_at: number | null;
};

/** Who waits for their exchange of a RingEX token, and what was used of the vendor's limit. No token is in it. */
export type RingexExchangesTable = {
  /** Of who waits; of a `slot` a random one; of the pause `pause`. */
  id: string;
  /**
   * `waiting`, `exchanging`, `done`: somebody's. `slot`: one use of the limit. `pause`: RingCX said that it is used up.
   */
  state: string;
  /** The order in which they came; 0: it has none. */
  seq: number;
  /** When it counts no longer. */
  expires_at: number;
};

/** What waits for an exchange and has no room in the browser's cookies, for minutes. */
type RingexTokensTable = {
  id: string;
  /** Under a key that the browser's cookie alone has. */
  sealed: string;
  expires_at: number;
};

type MigrationsTable = { name: string; applied_at: number };
