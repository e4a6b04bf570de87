import { KeysSection } from "@/components/keys/keys-section";
import type { Session } from "@/lib/auth/session";
import { attempt } from "@/lib/http/page";
import { listKeys } from "@/lib/keys/keys";

/** For ops and administrators; nothing for members. */
export async function KeysPart({ session }: { session: Session }) {
  if (session.user.role === "member") return null;
  const found = await attempt("/settings", () => listKeys(session));
  return <KeysSection found={found} now={new Date().toISOString()} host={new URL(session.host).host} />;
}
