import { bareHost, workspaceName, workspacePlace } from "@/components/connections/connection-text";
import type { Connection, Workspace } from "@/components/shell/person";
import { shellTexts } from "@/lib/texts/shell";

const texts = shellTexts.card;

type ConnectionCardProps = { connections: readonly Connection[]; workspace: Workspace | undefined };

/** Which RingCX this is about: said on every page, because two tabs may show two customers. */
export function ConnectionCard({ connections, workspace }: ConnectionCardProps) {
  const connection = connections.find(({ id }) => id === workspace?.connectionId);
  if (!connection) {
    return (
      <span className="block min-w-0 flex-1 text-xs">
        <span className="block truncate font-medium text-ink">
          {workspace ? workspaceName(workspace, connections) : texts.none}
        </span>
        <span className="block truncate text-dim">{workspace && workspacePlace(workspace)}</span>
        <span className="block truncate text-faint">{texts.notConnected}</span>
      </span>
    );
  }
  const { host, username, mainAccountId, platformId } = connection;
  const rows = [
    [texts.mainAccount, mainAccountId],
    ...(platformId === "" ? [] : [[texts.platform, platformId] as const]),
  ] as const;
  return (
    <span className="block min-w-0 flex-1 text-xs">
      <span className="block truncate font-medium text-ink" title={host}>
        {bareHost(host)}
      </span>
      <span className="block truncate text-dim" title={username}>
        {username}
      </span>
      <span className="mt-1 flex flex-col gap-0.5">
        {rows.map(([name, value]) => (
          <span key={name} className="flex justify-between gap-2">
            <span className="text-faint">{name}</span>
            <span className="truncate font-mono text-dim tabular-nums">{value}</span>
          </span>
        ))}
      </span>
    </span>
  );
}
