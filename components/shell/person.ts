import { shellTexts } from "@/lib/texts/shell";

/** What the shell shows of the session; no more than this goes to the browser. */
export type Person = { name: string; email: string | null; role: "member" | "ops" | "admin" };

/** A RingCX account that the person is connected to; `lost`: RingCX ended it, and it can be connected again. */
export type Connection = {
  id: string;
  kind: "ringcx" | "legacy";
  host: string;
  username: string;
  platformId: string;
  mainAccountId: string;
  name: string | null;
  state: "live" | "postponed" | "lost";
  active: boolean;
  /** The sign-in stands on it. */
  home: boolean;
};

/** What a page can be about: a connection, or what a role reaches without one. */
export type Workspace = { id: string; tenant: string; connectionId: string | null };

export const roleNames: Record<Person["role"], string> = shellTexts.roles;
