"use client";

import { type FormEvent, useEffect, useState } from "react";
import { z } from "zod";
import { adviceFor } from "@/components/advice";
import { goThrough } from "@/components/doors";
import { answerStepUps, call, type Failure } from "@/components/http";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { Field, TextInput } from "@/components/ui/field";
import { stepUpTexts } from "@/lib/texts/step-up";
import { uiTexts } from "@/lib/texts/ui";

const texts = stepUpTexts.question;

const refusalSchema = z.looseObject({
  by: z.enum(["ringcx", "ringcentral", "oidc"]),
  login: z.string(),
  maxAgeMinutes: z.number(),
});
type Refusal = z.infer<typeof refusalSchema>;

type Question = { refusal: Refusal; asker: Element | null; settle: (confirmed: boolean) => void };

/** Asks the person to prove who they are when a call was refused for want of it; the call is then made again. */
export function StepUp() {
  const [question, setQuestion] = useState<Question | null>(null);

  useEffect(
    () =>
      answerStepUps((failure) => {
        const parsed = refusalSchema.safeParse(failure.body);
        if (!parsed.success) return Promise.resolve(false);
        const asker = document.activeElement;
        return new Promise((settle) => setQuestion({ refusal: parsed.data, asker, settle }));
      }),
    [],
  );

  if (!question) return null;
  const end = (confirmed: boolean) => {
    setQuestion(null);
    question.settle(confirmed);
  };
  const returnFocus = () => {
    if (question.asker instanceof HTMLElement && question.asker.isConnected) question.asker.focus();
  };
  return question.refusal.by === "ringcx" ? (
    <PasswordQuestion refusal={question.refusal} onEnd={end} returnFocus={returnFocus} />
  ) : (
    <ProviderQuestion refusal={question.refusal} onEnd={end} returnFocus={returnFocus} />
  );
}

type QuestionProps = { refusal: Refusal; onEnd: (confirmed: boolean) => void; returnFocus: () => void };

function descriptionOf({ maxAgeMinutes }: Refusal): string {
  return texts.description(maxAgeMinutes);
}

function PasswordQuestion({ refusal, onEnd, returnFocus }: QuestionProps) {
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const formId = "step-up";

  async function confirm(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (pending) return;
    const password = String(new FormData(event.currentTarget).get("password") ?? "");
    if (password === "") return;
    setPending(true);
    setFailure(null);
    const answer = await call("/api/session/confirm", {
      method: "POST",
      json: { password },
      answer: z.object({ authenticatedAt: z.string() }),
    });
    setPending(false);
    if (answer.ok) onEnd(true);
    else setFailure(answer.failure);
  }

  return (
    <Dialog
      title={texts.title}
      description={descriptionOf(refusal)}
      onClose={() => onEnd(false)}
      returnFocus={returnFocus}
      sticky
      footer={
        <>
          <Button onClick={() => onEnd(false)}>{uiTexts.actions.cancel}</Button>
          <Button type="submit" form={formId} variant="primary" pending={pending}>
            {uiTexts.actions.confirm}
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={confirm} className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <Field label={texts.password(refusal.login)} help={texts.passwordHelp}>
          {(control) => (
            <TextInput
              {...control}
              name="password"
              type="password"
              autoComplete="current-password"
              autoCapitalize="none"
              spellCheck={false}
              required
              data-autofocus
            />
          )}
        </Field>
        {/* So that a password manager knows whose password this is. */}
        <input type="hidden" name="username" autoComplete="username" value={refusal.login} readOnly />
      </form>
    </Dialog>
  );
}

function ProviderQuestion({ refusal, onEnd, returnFocus }: QuestionProps) {
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);

  async function leave() {
    setPending(true);
    setFailure(null);
    const failed = await goThrough(refusal.by === "oidc" ? "oidc" : "ringcentral", {
      purpose: "confirm",
      returnTo: `${location.pathname}${location.search}`,
    });
    if (failed === null) return;
    setPending(false);
    setFailure(failed);
  }

  const advice = failure && adviceFor(failure.code);
  return (
    <Dialog
      title={texts.title}
      description={descriptionOf(refusal)}
      onClose={() => onEnd(false)}
      returnFocus={returnFocus}
      sticky
      footer={
        <>
          <Button onClick={() => onEnd(false)}>{uiTexts.actions.cancel}</Button>
          <Button variant="primary" onClick={leave} pending={pending} data-autofocus>
            {refusal.by === "oidc" ? texts.sso : texts.ringcentral}
          </Button>
        </>
      }
    >
      {failure && (
        <Callout tone="danger" role="alert" title={failure.title}>
          {failure.detail && <p>{failure.detail}</p>}
          {advice && <p>{advice}</p>}
        </Callout>
      )}
      <p className="text-dim text-sm">{texts.leave(refusal.login)}</p>
    </Dialog>
  );
}
