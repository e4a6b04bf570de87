/**
 * The tables. Columns are portable: text, and whole numbers for times (epoch milliseconds, UTC) and flags (0 or 1).
 * PostgreSQL's bigint is made a number where the pool is made, so both databases answer with the same types.
 */
export type Database = {
  tokens: TokensTable;
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
  /** Calendar date: `2026-12-31`. */
  rotate_by: string | null;
  created_here: number;
  /** When the first and the latest list that showed the token were asked for. The latest is kept to the minute. */
  first_seen_at: number;
  last_seen_at: number;
  revoked_at: number | null;
  revoked_proof: string | null;
  /** When the first list that no longer showed it was asked for. */
  vanished_at: number | null;
};

export type MigrationsTable = { name: string; applied_at: number };
