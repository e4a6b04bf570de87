import type { ReceiverView } from "@/lib/notify/schema";
import { notificationsTexts } from "@/lib/texts/notifications";

const typeNames: Record<string, string> = notificationsTexts.types;

/** One that another version has written is shown as it is. */
export function typeName(type: string): string {
  return typeNames[type] ?? type;
}

/** Names a receiver to a person, without what is secret of its address. */
export function receiverName({ origin, mark }: ReceiverView): string {
  return `${origin.replace(/^https?:\/\//, "")} (${mark})`;
}
