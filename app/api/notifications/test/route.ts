import { refused, route } from "@/lib/http/route";
import { sendTestMessage } from "@/lib/notify/deliveries";

export const POST = route({ name: "/api/notifications/test" }, async ({ session }) => sendTestMessage(session));

export const { DELETE, GET, PATCH, PUT } = refused;
