"use client";

import { ChevronsUpDown, Plug, RotateCw, Settings } from "lucide-react";
import { useRouter } from "next/navigation";
import { DropdownMenu } from "radix-ui";
import { useRef, useState } from "react";
import { useConnectionSwitcher } from "@/components/commands/requests";
import { bareHost, stateNames, workspaceName, workspacePlace } from "@/components/connections/connection-text";
import { useConnections } from "@/components/connections/connections";
import { ConnectionCard } from "@/components/shell/connection-card";
import { Menu, MenuItem, MenuLabel, MenuRadioItem, MenuSeparator } from "@/components/ui/menu";
import { Spinner } from "@/components/ui/spinner";
import { connectionsTexts } from "@/lib/texts/connections";

const texts = connectionsTexts.switcher;

/** Which RingCX the page is about, and the way to the others. */
export function Switcher() {
  const router = useRouter();
  const { connections, workspaces, active, switching, switchTo, connect } = useConnections();
  const trigger = useRef<HTMLButtonElement>(null);
  const next = useRef<(() => void) | null>(null);
  const [open, setOpen] = useState(false);
  const current = workspaces.find(({ id }) => id === active);
  const choices = workspaces.map((workspace) => ({
    id: workspace.id,
    name: workspaceName(workspace, connections),
    active: workspace.id === active,
  }));
  useConnectionSwitcher({
    trigger,
    choices,
    onSwitch: switchTo,
    onOpen: () => {
      // There the focus comes back to.
      trigger.current?.focus();
      setOpen(true);
    },
  });
  const own = workspaces.filter(({ connectionId }) => connectionId !== null);
  const byRole = workspaces.filter(({ connectionId }) => connectionId === null);
  const lost = connections.filter(({ state }) => state === "lost");
  const then = (action: () => void) => () => {
    next.current = action;
  };
  return (
    <section aria-label={texts.label}>
      <Menu
        open={open}
        onOpenChange={setOpen}
        side="top"
        align="start"
        onCloseAutoFocus={(event) => {
          if (!next.current) return;
          // A dialog opens once the menu is gone, from its trigger: there the focus comes back to.
          event.preventDefault();
          trigger.current?.focus();
          next.current();
          next.current = null;
        }}
        trigger={
          <button
            ref={trigger}
            type="button"
            aria-label={texts.active(current ? workspaceName(current, connections) : null)}
            aria-busy={switching || undefined}
            className="flex w-full items-start gap-1 rounded-md border border-line bg-surface px-2.5 py-2 text-left hover:bg-hover/60 data-[state=open]:bg-hover/60"
          >
            <ConnectionCard connections={connections} workspace={current} />
            {switching ? (
              <Spinner className="mt-0.5 text-accent" />
            ) : (
              <ChevronsUpDown className="mt-0.5 size-3.5 shrink-0 text-faint" aria-hidden="true" />
            )}
          </button>
        }
      >
        <DropdownMenu.RadioGroup
          aria-label={texts.choose}
          value={active}
          onValueChange={(id) => {
            if (id !== active) switchTo(id);
          }}
        >
          {own.length > 0 && <MenuLabel>{texts.accounts}</MenuLabel>}
          {own.map((workspace) => {
            const connection = connections.find(({ id }) => id === workspace.connectionId);
            return (
              connection && (
                <MenuRadioItem key={workspace.id} value={workspace.id}>
                  <Lines
                    first={connection.username}
                    second={`${bareHost(connection.host)}, ${connection.mainAccountId}`}
                    warning={connection.state === "live" ? null : stateNames[connection.state]}
                  />
                </MenuRadioItem>
              )
            );
          })}
          {byRole.length > 0 && <MenuLabel>{texts.byRole}</MenuLabel>}
          {byRole.map((workspace) => (
            <MenuRadioItem key={workspace.id} value={workspace.id}>
              <Lines first={workspaceName(workspace, connections)} second={workspacePlace(workspace)} warning={null} />
            </MenuRadioItem>
          ))}
        </DropdownMenu.RadioGroup>
        {lost.length > 0 && <MenuLabel>{stateNames.lost}</MenuLabel>}
        {lost.map((connection) => (
          <MenuItem key={connection.id} icon={<RotateCw />} onSelect={then(() => connect(connection))}>
            <Lines
              first={texts.reconnect(connection.username)}
              second={`${bareHost(connection.host)}, ${connection.mainAccountId}`}
              warning={null}
            />
          </MenuItem>
        ))}
        <MenuSeparator />
        <MenuItem icon={<Plug />} onSelect={then(() => connect())}>
          {texts.connect}
        </MenuItem>
        <MenuItem icon={<Settings />} onSelect={() => router.push("/settings#connections")}>
          {texts.manage}
        </MenuItem>
      </Menu>
    </section>
  );
}

function Lines({ first, second, warning }: { first: string; second: string; warning: string | null }) {
  return (
    <span className="min-w-0 py-1">
      <span className="block truncate leading-tight">{first}</span>
      <span className="block truncate text-faint text-xs">{second}</span>
      {warning && <span className="block truncate text-warn text-xs">{warning}</span>}
    </span>
  );
}

/** The same within the menu of a narrow screen, where nothing can open above it. */
export function SwitcherList({ onDone }: { onDone: () => void }) {
  const { connections, workspaces, active, switchTo, connect } = useConnections();
  const current = workspaces.find(({ id }) => id === active);
  const lost = connections.filter(({ state }) => state === "lost");
  const item =
    "flex min-h-9 pointer-coarse:min-h-10 w-full min-w-0 items-center rounded-md px-2.5 text-left text-sm hover:bg-hover";
  const act = (action: () => void) => () => {
    onDone();
    action();
  };
  return (
    <section aria-label={texts.label} className="flex min-h-0 flex-col gap-1 overflow-y-auto">
      <div className="rounded-md border border-line bg-surface px-2.5 py-2">
        <ConnectionCard connections={connections} workspace={current} />
      </div>
      <ul className="flex flex-col">
        {workspaces
          .filter(({ id }) => id !== active)
          .map((workspace) => (
            <li key={workspace.id}>
              <button type="button" className={item} onClick={act(() => switchTo(workspace.id))}>
                <Lines
                  first={texts.switchTo(workspaceName(workspace, connections))}
                  second={workspacePlace(workspace)}
                  warning={null}
                />
              </button>
            </li>
          ))}
        {lost.map((connection) => (
          <li key={connection.id}>
            <button type="button" className={item} onClick={act(() => connect(connection))}>
              <Lines
                first={texts.reconnect(connection.username)}
                second={`${bareHost(connection.host)}, ${connection.mainAccountId}`}
                warning={stateNames.lost}
              />
            </button>
          </li>
        ))}
        <li>
          <button type="button" className={item} onClick={act(() => connect())}>
            {texts.connect}
          </button>
        </li>
      </ul>
    </section>
  );
}
