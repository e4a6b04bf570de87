"use client";

import { useCallback, useState } from "react";
import { z } from "zod";
import { call } from "@/components/http";
import { useToast } from "@/components/ui/toast";
import { shellTexts } from "@/lib/texts/shell";

const texts = shellTexts.signOut;

/** Signs out, or says why the person is still signed in. */
export function useSignOut(): { leaving: boolean; leave: () => Promise<void> } {
  const toast = useToast();
  const [leaving, setLeaving] = useState(false);
  const leave = useCallback(async () => {
    setLeaving(true);
    const done = await signOut();
    // A full page load: nothing of this person stays in the browser's memory.
    if ("next" in done) location.assign(done.next);
    else {
      setLeaving(false);
      toast({ title: texts.failed, detail: done.failure, tone: "danger" });
    }
  }, [toast]);
  return { leaving, leave };
}

/** Where the company's identity provider ends its own sign-in; elsewhere an address of ours comes, which is not needed. */
const answerSchema = z.object({ url: z.url({ protocol: /^https?$/ }) });

/** Where to go now that it is done, or what to say. */
async function signOut(): Promise<{ next: string } | { failure: string }> {
  const csrf = await call("/api/auth/csrf", { method: "GET", answer: z.object({ csrfToken: z.string() }) });
  if (!csrf.ok) return { failure: csrf.failure.detail };
  const done = await call("/api/auth/signout", {
    method: "POST",
    form: { csrfToken: csrf.value.csrfToken, json: "true" },
    answer: answerSchema,
  });
  if (!done.ok) return { failure: done.failure.detail };
  const elsewhere = new URL(done.value.url).origin !== location.origin;
  return { next: elsewhere ? done.value.url : "/sign-in?reason=signed-out" };
}
