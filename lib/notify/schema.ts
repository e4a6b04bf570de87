import { z } from "zod";

/**
 * What Tokendesk tells others of. No token value is in it: `hint` is `aws80:…c0a9`. The name is the `type` of the webhook.
 */
export type NotifyEvent =
  | { type: "token.created"; tenant: string; actor: string; tokenId: string; hint: string; label: string | null }
  | {
      type: "token.revoked";
      tenant: string;
      actor: string;
      tokenId: string;
      hint: string;
      label: string | null;
      proof: string;
      /** The run that it belongs to. Slack is told of the run alone: hundreds of messages say less than one. */
      incident?: string;
    }
  | { type: "incident.opened"; tenant: string; actor: string; incident: string; found: number; origin: string }
  | {
      type: "incident.finished";
      tenant: string;
      actor: string;
      incident: string;
      outcome: string;
      revoked: number;
      /** Those of the run, and those that leaked and were left alive: of `contained` there is none. */
      unproven: number;
      secondsToProof: number | null;
    }
  | { type: "incident.unusual_volume"; tenant: string; actor: string; tokens: number; limit: number }
  /** From one address, or for one name from anywhere: the other is null. `name` is an e-mail address, or `unknown`. */
  | {
      type: "access.denied_burst";
      tenant: string | null;
      address: string | null;
      name: string | null;
      attempts: number;
    }
  | {
      type: "rotation.due";
      tenant: string;
      tokenId: string;
      hint: string;
      label: string | null;
      owner: string;
      rotateBy: string;
      overdue: boolean;
      /** The date of its plan has come: it is revoked when its owner signs in next. `rotateBy` is that date. */
      ordered?: boolean;
    }
  | { type: "notification.test"; tenant: string; actor: string };

export type NotifyType = NotifyEvent["type"];

export type Channel = "webhook" | "slack";

/** Where messages go, without the address: one of Slack's is a secret. `mark` tells two of the same origin apart. */
export type ReceiverView = { channel: Channel; origin: string; mark: string };

/** A message for one receiver. Times are ISO 8601 in UTC. */
export type DeliveryView = {
  id: string;
  type: string;
  /** null: it is not configured any more. */
  receiver: ReceiverView | null;
  channel: string;
  state: "pending" | "sent" | "dead";
  attempts: number;
  createdAt: string;
  /** When it arrived or was given up. */
  settledAt: string | null;
  /** When it is tried next; null: it is not. */
  nextAt: string | null;
  /** Why the last attempt failed; null: none did. */
  trouble: string | null;
};

/** `deliveries`: the newest that are under way or have arrived; `dead`: the newest that were given up, of `deadTotal`. */
export type NotificationsView = {
  receivers: ReceiverView[];
  deliveries: DeliveryView[];
  dead: DeliveryView[];
  deadTotal: number;
};

export const notificationPathSchema = z.object({ id: z.string() });

/** Answer of `POST /api/notifications/test`. */
export const testedSchema = z.object({
  results: z.array(
    z.object({
      receiver: z.object({ channel: z.enum(["webhook", "slack"]), origin: z.string(), mark: z.string() }),
      trouble: z.string().nullable(),
    }),
  ),
});
export type Tested = z.infer<typeof testedSchema>;

/** Answer of `POST /api/notifications/{id}/resend`. `trouble` null: it has arrived; else it is tried again later. */
export const resentSchema = z.object({ trouble: z.string().nullable() });
export type Resent = z.infer<typeof resentSchema>;
