import { formatCount, plural } from "@/lib/format";
import type { DeliveryView, NotifyType } from "@/lib/notify/schema";

export const notificationsTexts = {
  types: {
    "token.created": "Token created",
    "token.revoked": "Token revoked",
    "incident.opened": "Incident opened",
    "incident.finished": "Incident finished",
    "incident.unusual_volume": "Unusual volume at the incident desk",
    "access.denied_burst": "Many denied sign-ins",
    "rotation.due": "Rotation due",
    "notification.test": "Test message",
  } satisfies Record<NotifyType, string>,
  channels: { webhook: "Signed webhook", slack: "Slack-compatible" } satisfies Record<DeliveryView["channel"], string>,
  states: { pending: "On its way", sent: "Arrived", dead: "Given up" } satisfies Record<DeliveryView["state"], string>,
  section: {
    title: "Notifications",
    about: "Who is told of new and revoked tokens, incidents and due rotations.",
    test: "Send a test message",
    dead: "Given up",
    counted: (shown: number, all: number) =>
      all > shown
        ? `The newest ${formatCount(shown)} of ${plural(all, "message")} that did not arrive.`
        : `${plural(all, "message")} did not arrive, and nobody tries again.`,
    sendAgainTo: (what: string, receiver: string) => `Send again: ${what} to ${receiver}`,
    sendAgain: "Send again",
    last: "Last messages",
    nothingYet: "Nothing was sent yet.",
    nobody: "Nobody is told",
    howTo: "Whoever runs this Tokendesk sets {webhooks} (with {secret}) or {slack}, and restarts it.",
    receivers: "Receivers",
    messageArrived: "The message has arrived",
    messageFailed: "The message did not arrive",
    mayPass: (trouble: string) => `${trouble}. If that may pass, Tokendesk tries again later.`,
    testArrived: (arrived: number, of: number) =>
      arrived === of
        ? `The test message has arrived at ${plural(arrived, "receiver")}`
        : `The test message has arrived at ${formatCount(arrived)} of ${plural(of, "receiver")}`,
    testResult: (receiver: string, trouble: string | null) => `${receiver}: ${trouble ?? "arrived"}`,
    formerReceiver: (channel: string) => `A ${channel} receiver that is no longer configured`,
    attempts: (trouble: string, count: number) => `${trouble}, ${plural(count, "attempt")}`,
    next: "Next attempt {time}",
  },
} as const;
