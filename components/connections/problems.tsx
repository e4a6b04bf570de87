"use client";

import { useRouter } from "next/navigation";
import { useTransition } from "react";
import { bareHost, connectionName } from "@/components/connections/connection-text";
import { useConnections } from "@/components/connections/connections";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import type { ListedConnection } from "@/lib/session/schema";
import { connectionsTexts } from "@/lib/texts/connections";
import { uiTexts } from "@/lib/texts/ui";

const texts = connectionsTexts.problems;

/** The connections that a list is without, each with what helps. What the others gave is shown all the same. */
export function ConnectionProblems({ listed, what }: { listed: readonly ListedConnection[]; what: string }) {
  const router = useRouter();
  const { connections, connect } = useConnections();
  const [pending, startTransition] = useTransition();
  const failed = listed.flatMap(({ problem, ...connection }) => (problem ? [{ ...connection, problem }] : []));
  if (failed.length === 0) return null;
  return (
    <section aria-label={texts.label} className="mb-4 flex flex-col gap-2">
      {failed.map(({ id, username, mainAccountId, host, problem }) => {
        const known = connections.find((one) => one.id === id);
        const ended = problem.code === "connection_required";
        return (
          <Callout
            key={id}
            tone="warn"
            title={(ended ? texts.ended : texts.missing)(
              what,
              connectionName({ username, mainAccountId }),
              bareHost(host),
            )}
          >
            <p>{problem.detail}</p>
            <p className="flex items-center gap-2">
              {ended ? (
                <Button size="sm" onClick={() => connect(known ?? { host, username })}>
                  {texts.reconnect}
                  <span className="sr-only"> {username}</span>
                </Button>
              ) : (
                <Button size="sm" pending={pending} onClick={() => startTransition(() => router.refresh())}>
                  {uiTexts.actions.retry}
                  <span className="sr-only"> {username}</span>
                </Button>
              )}
              {problem.retryAfter !== undefined && <span className="text-xs">{texts.wait(problem.retryAfter)}</span>}
            </p>
          </Callout>
        );
      })}
    </section>
  );
}
