import type { Connection, Workspace } from "@/components/shell/person";
import { connectionsTexts } from "@/lib/texts/connections";

const texts = connectionsTexts.names;

export function bareHost(origin: string): string {
  return origin.replace(/^https?:\/\//, "");
}

/** `ana@example.com, 333333`: tells two of a person's accounts apart. */
export function connectionName({ username, mainAccountId }: Pick<Connection, "username" | "mainAccountId">): string {
  return `${username}, ${mainAccountId}`;
}

/** What a role reaches is a main account at a host, or the company's own sign-ins: `sso|{host}`. */
export function workspaceName({ tenant, connectionId }: Workspace, connections: readonly Connection[]): string {
  const connection = connections.find(({ id }) => id === connectionId);
  if (connection) return connectionName(connection);
  const { host, account } = partsOf(tenant);
  return host === "sso" ? texts.company : texts.mainAccount(account);
}

/** Where it is. */
export function workspacePlace({ tenant }: Workspace): string {
  const { host, account } = partsOf(tenant);
  return host === "sso" ? account : host;
}

function partsOf(tenant: string): { host: string; account: string } {
  const mark = tenant.indexOf("|");
  return { host: tenant.slice(0, mark), account: tenant.slice(mark + 1) };
}

export const stateNames: Record<Connection["state"], string> = texts.states;
