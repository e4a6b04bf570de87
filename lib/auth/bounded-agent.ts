import "server-only";
import { type AgentOptions, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";

type Bounds = { deadlineMs: number; maxBytes: number };

/**
 * For a client over Node's own `http` that limits neither the length of an answer nor the time until its end (openid-client
 * waits for its beginning only): each request has a connection of its own, which is cut when either is too much.
 */
export function boundedAgent(protocol: "http:" | "https:", bounds: Bounds): HttpAgent {
  const base = protocol === "https:" ? HttpsAgent : HttpAgent;
  return new (class extends base {
    override createConnection(...asked: Parameters<HttpAgent["createConnection"]>): Duplex | null | undefined {
      const connection = super.createConnection(...asked);
      if (connection) bound(connection, bounds);
      return connection;
    }
  })({ keepAlive: false } satisfies AgentOptions);
}

function bound(connection: Duplex, { deadlineMs, maxBytes }: Bounds): void {
  let size = 0;
  // Without an error of our own: the client stops listening for errors when its own time is up, and nobody would take it.
  const timer = setTimeout(() => connection.destroy(), deadlineMs);
  connection.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) connection.destroy();
  });
  connection.once("close", () => clearTimeout(timer));
}
