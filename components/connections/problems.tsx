"use client";

import { useRouter } from "next/navigation";
import { useTransition } from "react";
import { bareHost, connectionName } from "@/components/connections/connection-text";
import { useConnections } from "@/components/connections/connections";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { formatSeconds } from "@/lib/format";
import type { ListedConnection } from "@/lib/session/schema";

/** The connections that a list is without, each with what helps. What the others gave is shown all the same. */
export function ConnectionProblems({ listed, what }: { listed: readonly ListedConnection[]; what: string }) {
  const router = useRouter();
  const { connections, connect } = useConnections();
  const [pending, startTransition] = useTransition();
  const failed = listed.flatMap(({ problem, ...connection }) => (problem ? [{ ...connection, problem }] : []));
  if (failed.length === 0) return null;
  return (
    <section aria-label="Connections without an answer" className="mb-4 flex flex-col gap-2">
      {failed.map(({ id, username, mainAccountId, host, problem }) => {
        const known = connections.find((one) => one.id === id);
        const ended = problem.code === "connection_required";
        return (
          <Callout
            key={id}
            tone="warn"
            title={
              <>
                {what} of {connectionName({ username, mainAccountId })} at {bareHost(host)}{" "}
                {ended ? "need a new sign-in" : "are missing for now"}
              </>
            }
          >
            <p>{problem.detail}</p>
            <p className="flex items-center gap-2">
              {ended ? (
                <Button size="sm" onClick={() => connect(known ?? { host, username })}>
                  Reconnect<span className="sr-only"> {username}</span>
                </Button>
              ) : (
                <Button size="sm" pending={pending} onClick={() => startTransition(() => router.refresh())}>
                  Retry<span className="sr-only"> {username}</span>
                </Button>
              )}
              {problem.retryAfter !== undefined && (
                <span className="text-xs">RingCX asks to wait {formatSeconds(problem.retryAfter)}.</span>
              )}
            </p>
          </Callout>
        );
      })}
    </section>
  );
}
