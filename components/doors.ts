import { z } from "zod";
import { call, type Failure } from "@/components/http";

type Intent = {
  purpose: "sign_in" | "connect" | "confirm";
  /** The path to come back to. */
  returnTo: string;
  linkConfirmed?: boolean;
};

/** Leads the browser to the site where the person signs in. Null: it is on its way. */
export async function goThrough(door: "ringcentral" | "oidc", intent: Intent): Promise<Failure | null> {
  const kept = await call("/api/auth/intent", { method: "POST", json: intent, answer: z.unknown() });
  if (!kept.ok) return kept.failure;
  const csrf = await call("/api/auth/csrf", { method: "GET", answer: z.object({ csrfToken: z.string() }) });
  if (!csrf.ok) return csrf.failure;
  const begun = await call(`/api/auth/signin/${door}`, {
    method: "POST",
    form: { csrfToken: csrf.value.csrfToken, json: "true" },
    answer: z.object({ url: z.url({ protocol: /^https?$/ }) }),
  });
  if (!begun.ok) return begun.failure;
  location.assign(begun.value.url);
  return null;
}
