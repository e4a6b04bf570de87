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
        title="API key made"
        description={<span className="font-medium text-ink">{key.name}</span>}
        onClose={() => (copied ? onClose() : setLeaving(true))}
        sticky
        returnFocus={returnFocus}
        footer={
          leaving ? (
            <LeaveQuestion onStay={() => setLeaving(false)} onLeave={onClose} />
          ) : (
            <Button variant={copied ? "primary" : "secondary"} onClick={() => (copied ? onClose() : setLeaving(true))}>
              Done
            </Button>
          )
        }
      >
        <div className="flex flex-col gap-3">
          <SecretValue value={value} hint={key.hint} what="API key" onCopied={() => setCopied(true)} />
          <Callout tone="warn" title="Put it into the secret store of the scanner or job now">
            <p>
              Tokendesk keeps only a hash of it and never shows it again. If it is lost, revoke it and make another.
            </p>
            <p>Send it as a header: never on a command line, in an address or in a repository.</p>
          </Callout>
        </div>
      </Dialog>
    );
  }

  return (
    <Dialog
      title="New API key"
      description={`For one scanner or job. It looks tokens up at ${host}.`}
      onClose={() => pending || onClose()}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose} disabled={pending}>
            Cancel
          </Button>
          <Button type="submit" form={formId} variant="primary" pending={pending}>
            Make key
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={onSubmit} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        {failure && isOutcomeUnknown(failure) && (
          <p role="status" className="text-sm">
            A key may have been made that nobody has seen: close this, look at the list, and revoke it there.
          </p>
        )}
        <Field label="Name" error={errors.name} help="The scanner or job that gets it. Shown in the audit log.">
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
        <Field label="Last day" optional error={errors.expiresOn} help="It works to the end of that day, in UTC.">
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
              Automatic revocation
            </label>
            <p id={`${formId}-revoke-help`} className="text-dim text-xs">
              Without it the key can look tokens up, and changes nothing.
            </p>
          </div>
        </div>
        {revoke && (
          <Callout tone="danger" title="No person is asked">
            <p>
              Whoever has this key can revoke every live token that they report, and if they ask for it all other tokens
              of the same users. RingCX cannot bring a revoked token back: what still uses it stops working.
            </p>
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
    if (path[0] === "name") errors.name ??= code === "too_small" ? "Give it a name" : `The name ${message}`;
    if (path[0] === "expiresOn") errors.expiresOn ??= "Give a date, or leave it empty";
  }
  if (parsed.data?.expiresOn !== undefined && parsed.data.expiresOn < today) {
    errors.expiresOn = "This day is over already";
  }
  return errors;
}
