"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useId, useState } from "react";
import { call, isOutcomeUnknown } from "@/components/http";
import { type CreatedKey, createdKeySchema } from "@/components/keys/answers";
import { useSubmission } from "@/components/submission";
import { LeaveQuestion } from "@/components/tokens/leave-question";
import { SecretValue } from "@/components/tokens/secret-value";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { Checkbox, Field, TextInput } from "@/components/ui/field";
import { newKeySchema } from "@/lib/keys/schema";
import { keysTexts } from "@/lib/texts/keys";
import { uiTexts } from "@/lib/texts/ui";

const texts = keysTexts.create;

/** `today`: the earliest date to end at; `host`: of RingCX, where the key looks tokens up. */
type NewKeyDialogProps = { today: string; host: string; onClose: () => void; returnFocus: () => void };

type Errors = { name?: string | undefined; expiresOn?: string | undefined };

export function NewKeyDialog({ today, host, onClose, returnFocus }: NewKeyDialogProps) {
  const router = useRouter();
  const formId = useId();
  const { pending, failure, submit } = useSubmission();
  const [name, setName] = useState("");
  const [expiresOn, setExpiresOn] = useState("");
  const [revoke, setRevoke] = useState(false);
  const [errors, setErrors] = useState<Errors>({});
  const [created, setCreated] = useState<CreatedKey | null>(null);
  const [copied, setCopied] = useState(false);
  const [leaving, setLeaving] = useState(false);

  async function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const body = { name, revoke, ...(expiresOn === "" ? {} : { expiresOn }) };
    const wrong = flawsOf(body, today);
    setErrors(wrong);
    const first = Object.keys(wrong)[0];
    if (first) return form.querySelector<HTMLElement>(`[name=${first}]`)?.focus();
    const answer = await submit(() => call("/api/keys", { method: "POST", json: body, answer: createdKeySchema }));
    if (answer === null) return;
    setCreated(answer);
    router.refresh();
  }

  if (created) {
    const { key, value } = created;
    return (
      <Dialog
        title={texts.made}
        description={<span className="font-medium text-ink">{key.name}</span>}
        onClose={() => (copied ? onClose() : setLeaving(true))}
        sticky
        returnFocus={returnFocus}
        footer={
          leaving ? (
            <LeaveQuestion onStay={() => setLeaving(false)} onLeave={onClose} />
          ) : (
            <Button variant={copied ? "primary" : "secondary"} onClick={() => (copied ? onClose() : setLeaving(true))}>
              {uiTexts.actions.done}
            </Button>
          )
        }
      >
        <div className="flex flex-col gap-3">
          <SecretValue value={value} hint={key.hint} what={texts.what} onCopied={() => setCopied(true)} />
          <Callout tone="warn" title={texts.storeIt}>
            <p>{texts.onlyHash}</p>
            <p>{texts.asHeader}</p>
          </Callout>
        </div>
      </Dialog>
    );
  }

  return (
    <Dialog
      title={texts.title}
      description={texts.description(host)}
      onClose={() => pending || onClose()}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose} disabled={pending}>
            {uiTexts.actions.cancel}
          </Button>
          <Button type="submit" form={formId} variant="primary" pending={pending}>
            {texts.make}
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={onSubmit} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        {failure && isOutcomeUnknown(failure) && (
          <p role="status" className="text-sm">
            {texts.unknown}
          </p>
        )}
        <Field label={texts.name} error={errors.name} help={texts.nameHelp}>
          {(control) => (
            <TextInput
              {...control}
              name="name"
              value={name}
              maxLength={100}
              autoComplete="off"
              onChange={(event) => {
                setName(event.target.value);
                setErrors({ ...errors, name: undefined });
              }}
            />
          )}
        </Field>
        <Field label={texts.lastDay} optional error={errors.expiresOn} help={texts.lastDayHelp}>
          {(control) => (
            <TextInput
              {...control}
              name="expiresOn"
              type="date"
              min={today}
              value={expiresOn}
              className="tabular-nums"
              onChange={(event) => {
                setExpiresOn(event.target.value);
                setErrors({ ...errors, expiresOn: undefined });
              }}
            />
          )}
        </Field>
        <div className="flex items-start gap-2.5 text-sm">
          <Checkbox
            id={`${formId}-revoke`}
            className="mt-0.5"
            checked={revoke}
            onChange={(event) => setRevoke(event.target.checked)}
            aria-describedby={`${formId}-revoke-help`}
          />
          <div>
            <label htmlFor={`${formId}-revoke`} className="font-medium text-ink">
              {texts.automatic}
            </label>
            <p id={`${formId}-revoke-help`} className="text-dim text-xs">
              {texts.automaticHelp}
            </p>
          </div>
        </div>
        {revoke && (
          <Callout tone="danger" title={texts.nobodyAsked}>
            <p>{texts.nobodyAskedWhy}</p>
          </Callout>
        )}
      </form>
    </Dialog>
  );
}

function flawsOf(body: unknown, today: string): Errors {
  const parsed = newKeySchema.safeParse(body);
  const errors: Errors = {};
  for (const { path, code, message } of parsed.error?.issues ?? []) {
    if (path[0] === "name") errors.name ??= code === "too_small" ? texts.nameMissing : texts.nameFlaw(message);
    if (path[0] === "expiresOn") errors.expiresOn ??= texts.noDate;
  }
  if (parsed.data?.expiresOn !== undefined && parsed.data.expiresOn < today) {
    errors.expiresOn = texts.dayOver;
  }
  return errors;
}
