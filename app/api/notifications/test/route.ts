import { refused, route } from "@/lib/http/route";
import { sendTestMessage } from "@/lib/notify/deliveries";

export const POST = route({ name: "/api/notifications/test", fresh: true }, async ({ session }) =>
  sendTestMessage(session),
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
