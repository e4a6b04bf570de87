import { NotificationsSection } from "@/components/notifications/notifications-section";
import type { Session } from "@/lib/auth/session";
import { attempt } from "@/lib/http/page";
import { viewNotifications } from "@/lib/notify/deliveries";

/** For ops and administrators; nothing for members. */
export async function NotificationsPart({ session }: { session: Session }) {
  if (session.user.role === "member") return null;
  const found = await attempt("/settings", () => viewNotifications(session));
  return <NotificationsSection found={found} />;
}
