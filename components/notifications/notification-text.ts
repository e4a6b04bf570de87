import type { NotifyType, ReceiverView } from "@/lib/notify/schema";

const typeNames: Record<NotifyType, string> = {
  "token.created": "Token created",
  "token.revoked": "Token revoked",
  "incident.opened": "Incident opened",
  "incident.finished": "Incident finished",
  "incident.unusual_volume": "Unusual volume at the incident desk",
  "access.denied_burst": "Many denied sign-ins",
  "rotation.due": "Rotation due",
  "notification.test": "Test message",
};

/** One that another version has written is shown as it is. */
export function typeName(type: string): string {
  return (typeNames as Record<string, string>)[type] ?? type;
}

export const channelNames = { webhook: "Signed webhook", slack: "Slack-compatible" } as const;

/** Names a receiver to a person, without what is secret of its address. */
export function receiverName({ origin, mark }: ReceiverView): string {
  return `${origin.replace(/^https?:\/\//, "")} (${mark})`;
}
