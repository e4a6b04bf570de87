import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import { isTokendeskError, TokendeskError, toProblem } from "@/lib/errors";
import { logger } from "@/lib/logger";
import type { ListedConnection } from "@/lib/session/schema";

/** Somebody with any number of connections. A Session is one. */
export type Reader<Owner> = {
  connections: (Omit<ListedConnection, "problem" | "legacy"> & { kind: string; state: string })[];
  /** One for each connection that works, the active one first. */
  each(): Owner[];
};

/** Once one has answered, the others are not waited for longer than this. */
const usualPatienceMs = 6_000;

/**
 * The same question to all of a person's connections at the same time. One that fails, or is slow while another one has
 * answered, does not hide the others. Of a single one the failure is the answer, and so is the active one's when all fail.
 * @returns the answers, the active connection's first, and each connection with what stands in its way
 * @throws {TokendeskError} `session_expired`: the sign-in itself is over; {@link UpstreamError}
 */
export async function askEach<Owner extends { connectionId: string | null }, T>(
  reader: Reader<Owner> & Owner,
  ask: (owner: Owner) => Promise<T>,
  patienceMs = usualPatienceMs,
): Promise<{ answers: { connection: string | null; value: T }[]; connections: ListedConnection[] }> {
  const owners = reader.each();
  const views = reader.connections.map((view) => ({ ...listedAs(view), lost: view.state === "lost" }));
  const ended = views.flatMap(({ lost, ...view }) => (lost ? [{ ...view, problem: endedProblem }] : []));
  if (owners.length < 2) {
    const [owner = reader] = owners;
    const value = await ask(owner);
    const live = views.flatMap(({ lost, ...view }) => (lost ? [] : [view]));
    return { answers: [{ connection: owner.connectionId, value }], connections: [...live, ...ended] };
  }

  const settled = new AbortController();
  const begun = owners.map((owner) =>
    ask(owner).then(
      (value) => {
        settled.abort();
        return { value };
      },
      (error: unknown) => {
        // What is not ours is a fault of our own code, and not the connection's.
        if (!isTokendeskError(error) || error.code === "session_expired") throw error;
        return { error };
      },
    ),
  );
  for (const one of begun) one.catch(() => {});
  const late = onceAborted(settled.signal).then(async () => {
    await delay(patienceMs, undefined, { ref: false });
    return {
      error: new TokendeskError(
        "upstream_timeout",
        "RingCX takes long to answer for this account. The others are shown meanwhile.",
      ),
    };
  });
  const outcomes = await Promise.all(begun.map((one) => Promise.race([one, late])));
  const [first] = outcomes;
  if (first && "error" in first && outcomes.every((outcome) => "error" in outcome)) throw first.error;

  const answers: { connection: string | null; value: T }[] = [];
  const connections: ListedConnection[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const id = owners[index]?.connectionId ?? null;
    const found = views.find((view) => view.id === id);
    if ("value" in outcome) answers.push({ connection: id, value: outcome.value });
    else logger().warn({ err: outcome.error }, "one of several connections does not answer");
    if (!found) continue;
    const { lost: _, ...view } = found;
    connections.push({ ...view, problem: "error" in outcome ? problemOf(outcome.error) : null });
  }
  return { answers, connections: [...connections, ...ended] };
}

const endedProblem = {
  code: "connection_required",
  detail: "RingCX has ended this connection. Connect it again to see what it reaches.",
} as const;

function listedAs({
  id,
  username,
  mainAccountId,
  host,
  kind,
}: Reader<unknown>["connections"][number]): ListedConnection {
  return { id, username, mainAccountId, host, legacy: kind === "legacy", problem: null };
}

function problemOf(error: TokendeskError): NonNullable<ListedConnection["problem"]> {
  const { code, detail } = toProblem(error, "");
  return { code, detail, ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }) };
}

function onceAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
