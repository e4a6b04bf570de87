import { NewerSchema } from "@/lib/db/migrations";

/** Why the database cannot be used. It may be told to anyone: there is no address, path or value in it. */
type DatabaseProblem =
  | "unreachable"
  | "refused"
  | "missing"
  | "locked"
  | "read_only"
  | "full"
  | "damaged"
  | "timeout"
  | "newer_schema"
  | "unusable";

/**
 * The database did not do what was asked, for a reason that has nothing to do with what was asked. The next call tries
 * again from scratch.
 */
export class DatabaseUnavailable extends Error {
  readonly problem: DatabaseProblem;
  /** For the log: `database_locked`. */
  readonly code: string;
  /** A write whose commit was sent and not answered: it may have been done. */
  readonly maybeDone: boolean;

  constructor(
    problem: DatabaseProblem,
    { maybeDone = false, ...options }: { cause?: unknown; maybeDone?: boolean } = {},
  ) {
    super(`The database is not available (${problem})`, options);
    this.name = "DatabaseUnavailable";
    this.problem = problem;
    this.code = `database_${problem}`;
    this.maybeDone = maybeDone;
  }
}

/** True also for one that crossed a bundle boundary (each bundle has its own class). */
export function isDatabaseUnavailable(error: unknown): error is DatabaseUnavailable {
  return error instanceof DatabaseUnavailable || (error instanceof Error && error.name === "DatabaseUnavailable");
}

/** SQLite primary result codes: https://www.sqlite.org/rescode.html */
const sqliteProblems: Record<number, DatabaseProblem> = {
  3: "refused",
  5: "locked",
  6: "locked",
  8: "read_only",
  10: "unreachable",
  11: "damaged",
  13: "full",
  14: "missing",
  23: "refused",
  26: "damaged",
};

/** Codes of Node's file and network errors, and SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const codeProblems: Record<string, DatabaseProblem> = {
  ENOENT: "missing",
  ENOTDIR: "missing",
  EISDIR: "missing",
  EACCES: "refused",
  EPERM: "refused",
  EROFS: "read_only",
  ENOSPC: "full",
  EDQUOT: "full",
  EIO: "unreachable",
  ECONNREFUSED: "unreachable",
  ECONNRESET: "unreachable",
  EPIPE: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ENOTFOUND: "unreachable",
  EAI_AGAIN: "unreachable",
  ETIMEDOUT: "timeout",
  ERR_INVALID_STATE: "unreachable",
  "25006": "read_only",
  "25P03": "timeout",
  "3D000": "missing",
  "3F000": "missing",
  "40001": "locked",
  "40P01": "locked",
  "42501": "refused",
  "42P01": "missing",
  "53100": "full",
  "55000": "unreachable",
  "55P03": "locked",
  "57014": "timeout",
  XX001: "damaged",
  XX002: "damaged",
};
/** The same, by SQLSTATE class. */
const classProblems: Record<string, DatabaseProblem> = {
  "08": "unreachable",
  "28": "refused",
  "53": "unreachable",
  "57": "unreachable",
  "58": "unreachable",
};

/** Of `pg`: no connection was to be had in time. */
const notConnected = /^timeout exceeded when trying to connect|due to connection timeout$/;

/** `pg` and kysely throw these without a code. */
const messageProblems: readonly [RegExp, DatabaseProblem][] = [
  [notConnected, "timeout"],
  [/^Query read timeout/, "timeout"],
  [/^Connection terminated|^Client has encountered a connection error|^Client was closed/, "unreachable"],
  [/^driver has already been destroyed|^Cannot use a pool after calling end/, "unreachable"],
];

/** Whether there was no connection for it: the database knows nothing of it. */
export function isUnsent(error: unknown): boolean {
  return error instanceof Error && notConnected.test(error.message);
}

/** Classifies an error of the database. Null: the error says nothing about the database's health. */
export function problemOf(error: unknown): DatabaseProblem | null {
  if (isDatabaseUnavailable(error)) return error.problem;
  if (error instanceof NewerSchema) return "newer_schema";
  if (!(error instanceof Error)) return null;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (code === "ERR_SQLITE_ERROR" && typeof errcode === "number") return sqliteProblems[errcode & 0xff] ?? null;
  for (const [pattern, problem] of messageProblems) if (pattern.test(error.message)) return problem;
  if (typeof code !== "string") return null;
  return codeProblems[code] ?? (code.length === 5 ? (classProblems[code.slice(0, 2)] ?? null) : null);
}
