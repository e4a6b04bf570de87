"use client";

import { Building2, PhoneCall } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { z } from "zod";
import { arrivalText } from "@/components/arrival-text";
import { goThrough } from "@/components/doors";
import type { Failure } from "@/components/http";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { useHydrated } from "@/components/ui/hydrated";
import { signInTexts } from "@/lib/texts/sign-in";
import { uiTexts } from "@/lib/texts/ui";

const texts = signInTexts.doors;

type Door = "ringcentral" | "oidc";
type SignInDoorsProps = { ringex: boolean; ssoName: string | null; returnPath: string };

/** The ways in that lead over another site. */
export function SignInDoors({ ringex, ssoName, returnPath }: SignInDoorsProps) {
  const summary = useRef<HTMLDivElement>(null);
  const [leaving, setLeaving] = useState<Door | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  // Before that a press would do nothing, and look as if it did.
  const hydrated = useHydrated();

  useEffect(() => {
    if (failure) summary.current?.focus();
  }, [failure]);

  // Back from there by the browser's own button, this page is as it was left.
  useEffect(() => {
    const stay = (event: PageTransitionEvent) => event.persisted && setLeaving(null);
    addEventListener("pageshow", stay);
    return () => removeEventListener("pageshow", stay);
  }, []);

  async function leave(door: Door) {
    if (leaving) return;
    setFailure(null);
    setLeaving(door);
    const failed = await goThrough(door, { purpose: "sign_in", returnTo: returnPath });
    if (failed === null) return;
    setLeaving(null);
    setFailure(failed);
  }

  const button = (door: Door, name: string, Icon: typeof Building2) => (
    <Button size="lg" disabled={!hydrated} pending={leaving === door} onClick={() => leave(door)} className="w-full">
      <Icon className="size-4 text-faint" aria-hidden="true" />
      <span className="truncate">{texts.through(name)}</span>
    </Button>
  );

  const said = failure && textOf(failure);
  return (
    <div className="mt-6 flex flex-col gap-3">
      {said && (
        <Callout ref={summary} tone="danger" role="alert" tabIndex={-1} title={said.title}>
          <p>{said.detail}</p>
          {failure.requestId && <p className="font-mono text-2xs">{uiTexts.failure.requestId(failure.requestId)}</p>}
        </Callout>
      )}
      {ssoName !== null && button("oidc", ssoName, Building2)}
      {ringex && button("ringcentral", "RingCentral", PhoneCall)}
      <p className="mt-2 flex items-center gap-3 text-faint text-xs before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        {texts.orPassword}
      </p>
    </div>
  );
}

const problemSchema = z.object({ problem: z.string() });

/** The problem's own words speak of RingCX; this may be about somebody else. */
function textOf({ title, detail, body }: Failure): { title: string; detail: string } {
  const named = problemSchema.safeParse(body);
  return named.success ? arrivalText(named.data.problem) : { title, detail };
}
