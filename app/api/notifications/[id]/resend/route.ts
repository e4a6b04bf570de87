import { refused, route } from "@/lib/http/route";
import { resendNotification } from "@/lib/notify/deliveries";
import { notificationPathSchema } from "@/lib/notify/schema";

export const POST = route(
  { name: "/api/notifications/[id]/resend", params: notificationPathSchema, fresh: true },
  async ({ session, params }) => resendNotification(session, params.id),
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
