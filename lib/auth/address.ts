import "server-only";
import { randomUUID } from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";
import { env } from "@/lib/env";

/**
 * Who is at the other end of a request. Next tells route handlers only `X-Forwarded-For`, which anybody can
 * send; Node announces each request before Next sees it, and that is where the socket's address is noted.
 */
const peerHeader = "x-tokendesk-peer";

/** Whether a proxy stands between us and who asks, as far as it says so. Next adds such headers of its own later. */
const proxiedHeader = "x-tokendesk-proxied";
const proxyHeaders = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/** Called once, at start. */
export function notePeerAddresses(): void {
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { request: IncomingMessage };
    request.headers[peerHeader] = request.socket.remoteAddress ?? "unknown";
    // Only ours are believed. Routes that proxy.ts does not see have this one.
    request.headers["x-request-id"] = randomUUID();
    delete request.headers["x-nonce"];
    request.headers[proxiedHeader] = String(proxyHeaders.some((name) => request.headers[name] !== undefined));
  });
}

/**
 * The client's address: the peer, or the entry that the outermost of TRUST_PROXY proxies wrote. IPv6 addresses are
 * cut to their /64, which one household or machine has to itself.
 */
export function clientAddress(headers: Headers): string {
  const peer = headers.get(peerHeader) ?? "unknown";
  const hops = env().trustedProxies;
  if (hops === 0) return network(peer);
  const forwarded = (headers.get("x-forwarded-for") ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
  // The last proxy appended the address it saw, and so on outwards; what stands before was sent by the client.
  return network(forwarded.at(-hops) ?? peer);
}

/** Whether somebody on this machine asks, and not a proxy on it for somebody else. */
export function isLocal(headers: Headers): boolean {
  const peer = headers.get(peerHeader) ?? "";
  return headers.get(proxiedHeader) === "false" && /^(127\.|::1$|::ffff:127\.)/.test(peer);
}

function network(entry: string): string {
  // Some proxies write the port, too: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
  const address = /^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = new URL(`http://[${address.split("%")[0]}]`).hostname.slice(1, -1).split("::");
  const before = head.split(":").filter(Boolean);
  const after = tail.split(":").filter(Boolean);
  const groups = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => "0"), ...after];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
