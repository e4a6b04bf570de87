import { refused, route } from "@/lib/http/route";
import { viewNotifications } from "@/lib/notify/deliveries";

export const GET = route({ name: "/api/notifications" }, async ({ session }) => viewNotifications(session));

export const { DELETE, PATCH, POST, PUT } = refused("GET", "HEAD");
