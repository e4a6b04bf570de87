import "server-only";
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { env } from "@/lib/env";

/**
 * Who is at the other end of a request. Next tells route handlers only `X-Forwarded-For`, which anybody can
 * send; Node announces each request before Next sees it, and that is where the socket's address is noted.
 */
const peerHeader = "x-tokendesk-peer";

/** Called once, at start. */
export function notePeerAddresses(): void {
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { request: IncomingMessage };
    request.headers[peerHeader] = request.socket.remoteAddress ?? "unknown";
  });
}

/** The client's address: the peer, or the entry that the outermost of TRUST_PROXY proxies wrote. */
export function clientAddress(headers: Headers): string {
  const peer = headers.get(peerHeader) ?? "unknown";
  const hops = env().trustedProxies;
  if (hops === 0) return peer;
  const forwarded = (headers.get("x-forwarded-for") ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
  // The last proxy appended the address it saw, and so on outwards; what stands before was sent by the client.
  return forwarded.at(-hops) ?? peer;
}
