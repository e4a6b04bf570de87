"use client";

import { Plug, Unplug } from "lucide-react";
import { bareHost, stateNames, workspaceName, workspacePlace } from "@/components/connections/connection-text";
import { useConnections } from "@/components/connections/connections";
import type { Connection } from "@/components/shell/person";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { connectionsTexts } from "@/lib/texts/connections";

const texts = connectionsTexts.section;

/** The person's RingCX accounts, and what the company's role reaches besides. */
export function ConnectionsSection() {
  const { connections, workspaces, active, switching, switchTo, connect, disconnect } = useConnections();
  const byRole = workspaces.filter(({ connectionId }) => connectionId === null);
  return (
    <section id="connections" aria-labelledby="connections-heading" className="scroll-mt-16">
      <div className="mb-2 flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 id="connections-heading" className="font-semibold text-base text-ink">
            {texts.title}
          </h2>
          <p className="text-dim text-sm">{texts.about}</p>
        </div>
        <Button onClick={() => connect()}>
          <Plug className="size-3.5" aria-hidden="true" />
          {texts.connect}
        </Button>
      </div>
      {connections.length === 0 ? (
        <p className="rounded-lg border border-line bg-surface px-4 py-3 text-dim text-sm">{texts.none}</p>
      ) : (
        <ul aria-label={texts.title} className="divide-y divide-line rounded-lg border border-line bg-surface">
          {connections.map((connection) => (
            <li key={connection.id} className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5 text-sm">
              <div className="min-w-0 flex-1 basis-60">
                <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
                  <span className="truncate font-medium text-ink">{connection.username}</span>
                  {connection.active && <Badge tone="good">{texts.active}</Badge>}
                  {connection.state !== "live" && <Badge tone="warn">{stateNames[connection.state]}</Badge>}
                  {connection.kind === "legacy" && <Badge>{texts.legacy}</Badge>}
                </p>
                <p className="text-dim text-xs">{detailOf(connection)}</p>
              </div>
              <span className="flex gap-1">
                {connection.state === "lost" && (
                  <Button size="sm" onClick={() => connect(connection)}>
                    {texts.reconnect}
                    <span className="sr-only"> {connection.username}</span>
                  </Button>
                )}
                {connection.state !== "lost" && !connection.active && (
                  <Button size="sm" pending={switching} onClick={() => switchTo(connection.id)}>
                    {texts.switchTo}
                    <span className="sr-only">{texts.switchToWhich(connection.username)}</span>
                  </Button>
                )}
                {connection.home ? (
                  <span className="self-center text-faint text-xs">{texts.home}</span>
                ) : (
                  <Button variant="ghost" size="sm" onClick={() => disconnect(connection)}>
                    <Unplug className="size-3.5" aria-hidden="true" />
                    {connection.state === "lost" ? texts.remove : texts.disconnect}
                    <span className="sr-only"> {connection.username}</span>
                  </Button>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
      {byRole.length > 0 && (
        <>
          <h3 className="mt-4 mb-1.5 font-medium text-sm">{texts.byRole}</h3>
          <ul aria-label={texts.byRole} className="divide-y divide-line rounded-lg border border-line bg-surface">
            {byRole.map((workspace) => (
              <li key={workspace.id} className="flex items-center gap-3 px-4 py-2.5 text-sm">
                <div className="min-w-0 flex-1">
                  <p className="flex flex-wrap items-center gap-2">
                    <span className="font-medium text-ink">{workspaceName(workspace, connections)}</span>
                    {workspace.id === active && <Badge tone="good">{texts.active}</Badge>}
                  </p>
                  <p className="truncate text-dim text-xs">{workspacePlace(workspace)}</p>
                </div>
                {workspace.id !== active && (
                  <Button size="sm" pending={switching} onClick={() => switchTo(workspace.id)}>
                    {texts.switchTo}
                    <span className="sr-only">{texts.switchToWhich(workspaceName(workspace, connections))}</span>
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function detailOf({ host, mainAccountId, platformId, name }: Connection): string {
  return [name, bareHost(host), texts.mainAccount(mainAccountId), platformId && texts.platform(platformId)]
    .filter(Boolean)
    .join(", ");
}
