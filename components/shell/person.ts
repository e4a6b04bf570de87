/** What the shell shows of the session; no more than this goes to the browser. */
export type Person = { name: string; email: string | null; role: "member" | "ops" | "admin" };

export type Connection = { id: string; host: string; username: string; platformId: string; mainAccountId: string };

export const roleNames: Record<Person["role"], string> = {
  member: "Member",
  ops: "Operations",
  admin: "Administrator",
};
