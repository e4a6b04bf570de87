import "server-only";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { env } from "@/lib/env";
import { type Receiver, receivers } from "@/lib/notify/receivers";
import type { NotifyEvent } from "@/lib/notify/schema";
import { hintOf, holdsSecret } from "@/lib/tokens/schema";

/** What is sent to one receiver. `id` stays the same however often it is sent: the receiver knows a repetition by it. */
export type Message = { id: string; receiver: Receiver; type: string; tenant: string | null; payload: string };

/** The messages that an event makes: one for each receiver that it is for. */
export function messagesFor(event: NotifyEvent, now: number): Message[] {
  const clean = cleaned(event);
  const { type, tenant } = clean;
  return receivers()
    .filter(({ channel }) => !(channel === "slack" && clean.type === "token.revoked" && clean.incident !== undefined))
    .map((receiver) => {
      const id = idOf(clean, receiver, now);
      const body = receiver.channel === "slack" ? slackBody(clean) : webhookBody(clean, id, now);
      return { id, receiver, type, tenant, payload: JSON.stringify(body) };
    });
}

/** The headers of a webhook: see docs/notifications.md. They sign the moment of sending, so each attempt has its own. */
export function signedHeaders(secret: string, id: string, payload: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac("sha256", secret).update(`${id}.${timestamp}.${payload}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}

const hourMs = 3_600_000;

/** What is told once has one ID on all replicas, and a second message with it is not written. */
function idOf(event: NotifyEvent, { target }: Receiver, now: number): string {
  const once = onceKey(event, now);
  const id =
    once === null
      ? randomBytes(16).toString("base64url")
      : createHash("sha256")
          .update(JSON.stringify([event.type, ...once, target]))
          .digest("base64url")
          .slice(0, 22);
  return `msg_${id}`;
}

/** By what an event is told from another that says the same; null: each is told. */
function onceKey(event: NotifyEvent, now: number): (string | number | boolean | null)[] | null {
  const hour = Math.floor(now / hourMs);
  switch (event.type) {
    case "access.denied_burst":
      return [event.address, event.name, hour];
    case "incident.unusual_volume":
      return [event.tenant, event.actor, hour];
    case "rotation.due":
      // What stays overdue is told again, a week later.
      return [
        event.tenant,
        event.tokenId,
        event.rotateBy,
        event.overdue,
        event.ordered ?? false,
        Math.floor(hour / 24),
      ];
    default:
      return null;
  }
}

/** Callers pass no values; but people type them into names and labels that were written before those were looked at. */
function cleaned(event: NotifyEvent): NotifyEvent {
  const members = Object.entries(event).map(([name, value]) => [
    name,
    typeof value === "string" && holdsSecret(value) ? (hintOf(value) ?? "[masked]") : value,
  ]);
  return Object.fromEntries(members) as NotifyEvent;
}

function webhookBody(event: NotifyEvent, id: string, now: number) {
  const { type, tenant, ...data } = event;
  return { id, type, at: new Date(now).toISOString(), installation: env().appUrl, tenant, data };
}

function slackBody(event: NotifyEvent) {
  const { sentence, path } = inWords(event);
  return {
    text: `${harmless(sentence)} <${escaped(`${env().appUrl}${path}`)}|Open in Tokendesk>`,
    unfurl_links: false,
    unfurl_media: false,
  };
}

/**
 * Escaped as Slack wants it, so that `<!channel>` and `<https://…>` are words. Receivers that only resemble Slack also
 * read `@channel` and `[text](address)` in the text, and make a link of every address: all three are broken.
 */
function harmless(text: string): string {
  return escaped(text)
    .replaceAll("://", ":\u200B//")
    .replace(/(?<![\w.])@(?=\w)/g, "@\u200B")
    .replaceAll("](", "] (");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function inWords(event: NotifyEvent): { sentence: string; path: string } {
  switch (event.type) {
    case "token.created":
      return { sentence: `${event.actor} created ${token(event)}.`, path: pathOf(event) };
    case "token.revoked":
      return {
        sentence: `${event.actor} revoked ${token(event)}: ${proofs[event.proof] ?? "it is proven dead"}.`,
        path: pathOf(event),
      };
    case "incident.opened":
      return {
        sentence: `${event.actor} opened an incident (${origins[event.origin] ?? event.origin}): ${count(event.found, "token")} found.`,
        path: `/incident/${encodeURIComponent(event.incident)}`,
      };
    case "incident.finished":
      return { sentence: finished(event), path: `/incident/${encodeURIComponent(event.incident)}` };
    case "incident.unusual_volume":
      return {
        sentence: `${event.actor} has looked up or revoked ${count(event.tokens, "token")} at the incident desk within an hour. More than ${event.limit} is unusual here.`,
        path: "/audit?action=incident.scan",
      };
    case "access.denied_burst": {
      const whose = event.address === null ? `for ${event.name ?? "unknown"}` : `from ${event.address}`;
      return {
        sentence: `${count(event.attempts, "sign-in")} ${whose} ${event.attempts === 1 ? "was" : "were"} denied within 10 minutes.`,
        path: "/audit?action=session.denied",
      };
    }
    case "rotation.due": {
      if (event.ordered) {
        const why = `has been replaced and was to be revoked on ${event.rotateBy}`;
        return {
          sentence: `${capital(token(event))} ${why}. Its value is kept nowhere: ${event.owner} must sign in to Tokendesk.`,
          path: pathOf(event),
        };
      }
      const due = event.overdue ? "should have been rotated by" : "is due for rotation by";
      return { sentence: `${capital(token(event))} of ${event.owner} ${due} ${event.rotateBy}.`, path: pathOf(event) };
    }
    case "notification.test":
      return { sentence: `This is a test message, sent by ${event.actor}.`, path: "/settings" };
  }
}

const proofs: Record<string, string> = {
  token_refused: "RingCX refuses it now",
  absent_from_list: "it is gone from its owner's list",
};

const origins: Record<string, string> = {
  desk: "at the incident desk",
  key: "reported with an API key",
  tokens: "from the list of tokens",
};

function finished({ outcome, revoked, unproven, secondsToProof }: NotifyEvent & { type: "incident.finished" }): string {
  const time = secondsToProof === null || revoked === 0 ? "" : `, the last of them after ${secondsToProof} s`;
  const done = `${count(revoked, "token")} ${revoked === 1 ? "was" : "were"} revoked with proof${time}.`;
  const head = outcome === "interrupted" ? "An incident was interrupted" : "An incident is finished";
  if (unproven === 0) return `${head}: ${revoked === 0 ? "its tokens were dead already." : done}`;
  const rest = `${count(unproven, "token")} ${unproven === 1 ? "is" : "are"} not proven dead; treat ${unproven === 1 ? "it" : "them"} as alive.`;
  return `${head}: ${done} ${rest}`;
}

function token({ label, hint }: { label: string | null; hint: string }): string {
  return label === null ? `the token ${hint}` : `the token “${label}” (${hint})`;
}

const pathOf = ({ tokenId }: { tokenId: string }) => `/tokens/${encodeURIComponent(tokenId)}`;
const count = (amount: number, one: string) => `${amount} ${amount === 1 ? one : `${one}s`}`;
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
