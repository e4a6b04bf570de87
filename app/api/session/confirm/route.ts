import { z } from "zod";
import { clientAddress } from "@/lib/auth/address";
import { confirmWithPassword } from "@/lib/auth/step-up";
import { refused, route } from "@/lib/http/route";

const body = z.strictObject({ password: z.string().min(1, "Enter your password").max(1024) });

export const POST = route(
  { name: "/api/session/confirm", body, anyWorkspace: true },
  ({ session, body: { password }, request }) => confirmWithPassword(session, password, clientAddress(request.headers)),
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
