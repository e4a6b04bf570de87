"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useEffect, useState } from "react";
import { call, type Failure } from "@/components/http";
import { useSubmission } from "@/components/submission";
import {
  cancelledSchema,
  plannedSchema,
  rotationPath,
  rotationsPath,
  rotationsSchema,
} from "@/components/tokens/answers";
import { RotationPlaces, useSavedPlaces } from "@/components/tokens/rotation-places";
import { TokenHint } from "@/components/tokens/token-hint";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { Field, TextInput } from "@/components/ui/field";
import { RichText } from "@/components/ui/rich-text";
import { Spinner } from "@/components/ui/spinner";
import { Time } from "@/components/ui/time";
import { tokensTexts } from "@/lib/texts/tokens";
import { uiTexts } from "@/lib/texts/ui";
import type { OwnRotation, Token } from "@/lib/tokens/schema";

const texts = tokensTexts.rotation;

type RotationDialogProps = {
  /** Of the token that is being replaced. */
  oldId: string;
  /** Through which the rotation is planned. */
  connection: string | null;
  /** The rotation as the page has it; null: the page may be older. */
  known: OwnRotation | null;
  onClose: () => void;
  /** Goes on to the confirmation that revokes the old token. */
  onRevokeOld: (token: Token) => void;
  returnFocus: () => void;
};

/** What is left to do between a new token and the end of the one that it replaces. */
export function RotationDialog({ oldId, connection, known, onClose, onRevokeOld, returnFocus }: RotationDialogProps) {
  // What the page learns meanwhile must not undo what is being ticked off here.
  const [found, setFound] = useState<OwnRotation | Failure | "missing" | null>(known);
  useEffect(() => {
    if (found !== null) return;
    let gone = false;
    void call(rotationsPath(connection), { method: "GET", answer: rotationsSchema }).then((answer) => {
      if (gone) return;
      if (!answer.ok) return setFound(answer.failure);
      const rotation = answer.value.rotations.find(({ old }) => old.id === oldId);
      setFound(rotation ? { ...rotation, connection } : "missing");
    });
    return () => {
      gone = true;
    };
  }, [found, oldId, connection]);

  if (found !== null && typeof found === "object" && "places" in found) {
    return <Open rotation={found} onClose={onClose} onRevokeOld={onRevokeOld} returnFocus={returnFocus} />;
  }
  return (
    <Dialog
      title={texts.title}
      description={texts.bothWork}
      onClose={onClose}
      returnFocus={returnFocus}
      footer={<Button onClick={onClose}>{uiTexts.actions.close}</Button>}
    >
      {found === null ? (
        <p role="status" className="flex items-center gap-2 text-dim text-sm">
          <Spinner className="text-accent" /> {texts.reading}
        </p>
      ) : found === "missing" ? (
        <Callout tone="warn" title={texts.notFollowed}>
          <p>{texts.notFollowedWhy}</p>
        </Callout>
      ) : (
        <FailureNote failure={found} />
      )}
    </Dialog>
  );
}

type OpenProps = Omit<RotationDialogProps, "oldId" | "connection" | "known"> & { rotation: OwnRotation };

function Open({ rotation: initial, onClose, onRevokeOld, returnFocus }: OpenProps) {
  const router = useRouter();
  const [rotation, setRotation] = useState(initial);
  const [choosing, setChoosing] = useState(false);
  const { places, failure: unsaved, save, settled } = useSavedPlaces(initial);
  const { pending, failure, submit } = useSubmission();
  const { old, successor, revokeAt, state } = rotation;

  async function leave(next: () => void) {
    next();
    await settled();
    router.refresh();
  }

  async function plan(date: string | null) {
    const send = () =>
      call(rotationPath(rotation), { method: "PATCH", json: { revokeAt: date }, answer: plannedSchema });
    const planned = await submit(send);
    if (planned === null) return;
    setRotation({ ...planned.rotation, connection: rotation.connection });
    setChoosing(false);
  }

  async function keepBoth() {
    const ended = await submit(() => call(rotationPath(rotation), { method: "DELETE", answer: cancelledSchema }));
    if (ended) await leave(onClose);
  }

  return (
    <Dialog
      title={texts.title}
      description={
        <RichText
          text={old.label ? texts.descriptionLabelled : texts.description}
          slots={{
            successor: <TokenHint hint={successor.hint} />,
            old: <TokenHint hint={old.hint} />,
            label: old.label,
          }}
        />
      }
      onClose={() => leave(onClose)}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={() => leave(onClose)}>{revokeAt === null ? texts.later : uiTexts.actions.close}</Button>
          {!choosing && (
            <Button onClick={() => setChoosing(true)}>{revokeAt === null ? texts.atDate : texts.changeDate}</Button>
          )}
          <Button variant="danger" onClick={() => leave(() => onRevokeOld(tokenOf(rotation)))}>
            {texts.now}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-5">
        {(failure ?? unsaved) && <FailureNote failure={(failure ?? unsaved) as Failure} />}
        {!successor.listed && (
          <Callout tone="warn" title={texts.gone}>
            <p>{texts.goneWhy}</p>
          </Callout>
        )}
        <RotationPlaces places={places} onChange={save} />
        <section className="flex flex-col gap-1">
          <h3 className="font-medium text-sm">{texts.stillUsed}</h3>
          <p className="text-dim text-sm">
            <RichText
              text={texts.stillUsedHelp}
              slots={{ lastFour: <span className="font-mono text-ink">{successor.hint.slice(-4)}</span> }}
            />
          </p>
        </section>
        {choosing ? (
          <DateForm pending={pending} onPlan={plan} onCancel={() => setChoosing(false)} />
        ) : (
          revokeAt !== null && (
            <Callout
              tone="info"
              role="status"
              title={
                <RichText
                  text={state === "ordered" ? texts.dateHasCome : texts.dateToCome}
                  slots={{ time: <Time iso={revokeAt} as="instant" className="tabular-nums" /> }}
                />
              }
            >
              <p>{texts.dateWhy}</p>
              <p>
                <Button size="sm" pending={pending} onClick={() => plan(null)}>
                  {texts.takeBack}
                </Button>
              </p>
            </Callout>
          )
        )}
        <p className="text-dim text-xs">
          <RichText
            text={texts.bothNeeded}
            slots={{
              button: (
                <button
                  type="button"
                  onClick={keepBoth}
                  aria-disabled={pending || undefined}
                  className="text-accent underline underline-offset-2"
                >
                  {texts.keepBoth}
                </button>
              ),
            }}
          />
        </p>
      </div>
    </Dialog>
  );
}

type DateFormProps = { pending: boolean; onPlan: (date: string) => void; onCancel: () => void };

function DateForm({ pending, onPlan, onCancel }: DateFormProps) {
  const [typed, setTyped] = useState(() => localTime(Date.now() + 7 * 24 * 3_600_000));
  const [error, setError] = useState<string | null>(null);

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    const at = new Date(typed).getTime();
    if (Number.isNaN(at)) setError(texts.dateMissing);
    else if (at <= Date.now()) setError(texts.dateOver);
    else onPlan(new Date(at).toISOString());
  }

  return (
    <form onSubmit={onSubmit} noValidate className="flex flex-col gap-3 rounded-lg border border-line bg-sunken p-3">
      <Field label={texts.date} error={error} help={texts.dateHelp}>
        {(control) => (
          <TextInput
            {...control}
            type="datetime-local"
            value={typed}
            autoFocus
            className="max-w-60 tabular-nums"
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </Field>
      <span className="flex gap-2">
        <Button type="submit" variant="primary" pending={pending}>
          {texts.setDate}
        </Button>
        <Button onClick={onCancel}>{uiTexts.actions.cancel}</Button>
      </span>
    </form>
  );
}

/** `2026-11-30T09:00`, in the reader's zone, on the hour. */
function localTime(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return `${local.toISOString().slice(0, 13)}:00`;
}

/** The old token as far as its rotation knows it. */
function tokenOf({ old, owner, connection }: OwnRotation): Token {
  return {
    ...{ id: old.id, connection, hint: old.hint, label: old.label, owner, status: "active" },
    ...{ purpose: null, environment: null, usedIn: null, rotateBy: null, order: null },
    ...{ firstSeenAt: null, lastSeenAt: null, createdHere: null, appearedAt: null },
  };
}
