import "server-only";
import { createHash } from "node:crypto";
import { env } from "@/lib/env";
import type { Channel, ReceiverView } from "@/lib/notify/schema";

/** A configured receiver. `target` names it where its address may not stand: in the database and in the log. */
export type Receiver = { channel: Channel; address: string; target: string };

/** Those of NOTIFY_WEBHOOKS and NOTIFY_SLACK_WEBHOOKS, each once. Nothing else is ever called. */
export function receivers(): Receiver[] {
  const { webhooks, slackWebhooks } = env().notify;
  const all = [
    ...webhooks.map((address) => receiver("webhook", address)),
    ...slackWebhooks.map((address) => receiver("slack", address)),
  ];
  return all.filter(({ target }, index) => all.findIndex((other) => other.target === target) === index);
}

function receiver(channel: Channel, address: string): Receiver {
  const target = createHash("sha256").update(`${channel} ${address}`).digest("base64url").slice(0, 22);
  return { channel, address, target };
}

export function viewOf({ channel, address, target }: Receiver): ReceiverView {
  return { channel, origin: new URL(address).origin, mark: target.slice(0, 6) };
}
