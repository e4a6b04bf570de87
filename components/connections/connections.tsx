"use client";

import { useRouter } from "next/navigation";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useTransition,
} from "react";
import { z } from "zod";
import { ConnectDialog, type Prefill } from "@/components/connections/connect-dialog";
import { workspaceName } from "@/components/connections/connection-text";
import { DisconnectDialog } from "@/components/connections/disconnect-dialog";
import { call } from "@/components/http";
import type { Connection, Workspace } from "@/components/shell/person";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { useToast } from "@/components/ui/toast";
import { connectionsTexts } from "@/lib/texts/connections";

const texts = connectionsTexts.elsewhere;

/** Where one can connect. `company`: as whom the company knows the person; null: they came through RingCX. */
type Doors = { hosts: string[]; legacyHosts: string[]; ringex: boolean; company: string | null };

export type ConnectionFacts = {
  /** Those that RingCX ended at the end. */
  connections: Connection[];
  workspaces: Workspace[];
  /** ID of the active workspace. */
  active: string;
  doors: Doors;
};

type Connections = ConnectionFacts & {
  /** The page is about to become another one's. */
  switching: boolean;
  switchTo: (id: string) => void;
  connect: (prefill?: Prefill) => void;
  disconnect: (connection: Connection) => void;
};

const ConnectionsContext = createContext<Connections | null>(null);

export function useConnections(): Connections {
  const connections = useContext(ConnectionsContext);
  if (!connections) throw new Error("useConnections needs a ConnectionsProvider above it");
  return connections;
}

type Open = { kind: "connect"; prefill: Prefill } | { kind: "disconnect"; connection: Connection };

const channelName = "tokendesk-connections";
const ElsewhereContext = createContext<(() => void) | null>(null);

/** The person's RingCX accounts, for whatever on the page shows or changes them; its dialogs stand in here once. */
export function ConnectionsProvider({ facts, children }: { facts: ConnectionFacts; children: ReactNode }) {
  const router = useRouter();
  const toast = useToast();
  const [switching, startTransition] = useTransition();
  const [open, setOpen] = useState<Open | null>(null);
  const [elsewhere, setElsewhere] = useState(false);
  const opener = useRef<Element | null>(null);
  const channel = useRef<BroadcastChannel | null>(null);

  useEffect(() => {
    const own = new BroadcastChannel(channelName);
    own.onmessage = () => setElsewhere(true);
    channel.current = own;
    return () => {
      channel.current = null;
      own.close();
    };
  }, []);

  const refresh = useCallback(() => {
    setElsewhere(false);
    startTransition(() => router.refresh());
  }, [router]);
  const changed = useCallback(() => {
    channel.current?.postMessage("changed");
    refresh();
  }, [refresh]);

  const switchTo = useCallback(
    async (id: string) => {
      const path = `/api/connections/${encodeURIComponent(id)}/activate`;
      const answer = await call(path, { method: "POST", answer: z.object({ active: z.string() }) });
      if (!answer.ok) toast({ title: texts.notSwitched, detail: answer.failure.detail, tone: "danger" });
      changed();
    },
    [changed, toast],
  );
  const show = useCallback((next: Open) => {
    opener.current = document.activeElement;
    setOpen(next);
  }, []);
  const close = useCallback(() => setOpen(null), []);
  const returnFocus = useCallback(() => {
    const target = opener.current;
    if (target instanceof HTMLElement && target.isConnected && target !== document.body) target.focus();
    else document.querySelector<HTMLElement>("main")?.focus();
  }, []);

  const value = useMemo(
    () => ({
      ...facts,
      switching,
      switchTo: (id: string) => void switchTo(id),
      connect: (prefill: Prefill = {}) => show({ kind: "connect", prefill }),
      disconnect: (connection: Connection) => show({ kind: "disconnect", connection }),
    }),
    [facts, switching, switchTo, show],
  );
  return (
    <ConnectionsContext value={value}>
      <ElsewhereContext value={elsewhere ? refresh : null}>{children}</ElsewhereContext>
      {open?.kind === "connect" && (
        <ConnectDialog
          prefill={open.prefill}
          doors={facts.doors}
          connections={facts.connections}
          onClose={close}
          onConnected={changed}
          returnFocus={returnFocus}
        />
      )}
      {open?.kind === "disconnect" && (
        <DisconnectDialog
          connection={open.connection}
          onClose={close}
          onDisconnected={changed}
          returnFocus={returnFocus}
        />
      )}
    </ConnectionsContext>
  );
}

/** Says so when another tab has switched: what stands here is still about the other account. */
export function ElsewhereNotice() {
  const show = useContext(ElsewhereContext);
  const { active, workspaces, connections } = useConnections();
  const shown = workspaces.find(({ id }) => id === active);
  if (show === null) return null;
  return (
    <Callout tone="info" role="status" className="mb-5" title={texts.title}>
      <p>{shown ? texts.still(workspaceName(shown, connections)) : texts.stillBefore}</p>
      <p>
        <Button size="sm" onClick={show}>
          {texts.show}
        </Button>
      </p>
    </Callout>
  );
}

/** What stands on a page, its open dialogs included, belongs to one workspace: another one begins anew. */
export function OfWorkspace({ children }: { children: ReactNode }) {
  const { active } = useConnections();
  return <div key={active}>{children}</div>;
}
