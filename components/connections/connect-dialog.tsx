"use client";

import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { z } from "zod";
import { bareHost, connectionName } from "@/components/connections/connection-text";
import { goThrough } from "@/components/doors";
import { call, type Failure } from "@/components/http";
import type { Connection } from "@/components/shell/person";
import { signInAdvice } from "@/components/sign-in/sign-in-advice";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { Checkbox, Field, Select, TextInput } from "@/components/ui/field";
import { RichText } from "@/components/ui/rich-text";
import { useToast } from "@/components/ui/toast";
import { connectionsTexts } from "@/lib/texts/connections";
import { uiTexts } from "@/lib/texts/ui";

const texts = connectionsTexts.connect;

/** What is known of the account beforehand: of one that RingCX ended. */
export type Prefill = Partial<Pick<Connection, "host" | "username" | "platformId">>;

type ConnectDialogProps = {
  prefill: Prefill;
  doors: { hosts: string[]; legacyHosts: string[]; ringex: boolean; company: string | null };
  connections: readonly Connection[];
  onClose: () => void;
  onConnected: () => void;
  returnFocus: () => void;
};

const connectedSchema = z.object({
  connection: z.object({ id: z.string(), username: z.string(), mainAccountId: z.string() }),
});
const unconfirmedSchema = z.looseObject({ identity: z.string(), username: z.string() });

/** Another RingCX account for who is signed in, by each of the doors that there are. */
export function ConnectDialog({ prefill, doors, connections, onClose, onConnected, returnFocus }: ConnectDialogProps) {
  const toast = useToast();
  const formId = useId();
  const form = useRef<HTMLFormElement>(null);
  const note = useRef<HTMLDivElement>(null);
  const [host, setHost] = useState(prefill.host ?? doors.hosts[0] ?? "");
  const [pending, setPending] = useState<"password" | "ringcentral" | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [missing, setMissing] = useState<readonly string[]>([]);
  const [ownsBoth, setOwnsBoth] = useState(false);
  const legacy = doors.legacyHosts.includes(host);
  const unconfirmed = failure?.code === "link_unconfirmed" ? unconfirmedSchema.safeParse(failure.body).data : undefined;

  useEffect(() => {
    if (failure) note.current?.focus();
  }, [failure]);

  async function connect(linkConfirmed: boolean) {
    if (pending || !form.current) return;
    const data = new FormData(form.current);
    const text = (name: string) => String(data.get(name) ?? "");
    const typed = {
      username: text("username").trim(),
      password: text("password"),
      ...(legacy ? {} : { platformId: text("platformId").trim() }),
    };
    const empty = Object.entries(typed).flatMap(([name, value]) => (value === "" ? [name] : []));
    setMissing(empty);
    setFailure(null);
    const [first] = empty;
    if (first !== undefined) return form.current.querySelector<HTMLElement>(`[name=${first}]`)?.focus();

    setPending("password");
    const json = {
      ...typed,
      host,
      linkConfirmed,
      ...(legacy ? { staySignedIn: data.get("staySignedIn") === "on" } : {}),
    };
    const answer = await call("/api/connections", { method: "POST", json, answer: connectedSchema });
    setPending(null);
    if (!answer.ok) return setFailure(answer.failure);
    const { connection } = answer.value;
    const known = connections.some(({ id }) => id === connection.id);
    toast({ title: known ? texts.known : texts.connected, detail: connectionName(connection) });
    onClose();
    onConnected();
  }

  async function leave() {
    setPending("ringcentral");
    setFailure(null);
    const failed = await goThrough("ringcentral", {
      purpose: "connect",
      returnTo: `${location.pathname}${location.search}`,
      linkConfirmed: ownsBoth,
    });
    if (failed === null) return;
    setPending(null);
    setFailure(failed);
  }

  const advice = failure && signInAdvice(failure.code);
  const errorOf = (name: string, label: string) => (missing.includes(name) ? texts.needed(label) : null);
  return (
    <Dialog
      title={prefill.username === undefined ? texts.title : texts.againTitle}
      description={texts.description(connections.length === 0)}
      onClose={() => pending || onClose()}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose} disabled={pending !== null}>
            {uiTexts.actions.cancel}
          </Button>
          {unconfirmed ? (
            <Button variant="primary" pending={pending === "password"} onClick={() => connect(true)}>
              {texts.yes(unconfirmed.username)}
            </Button>
          ) : (
            <Button
              type="submit"
              form={formId}
              variant="primary"
              pending={pending === "password"}
              disabled={pending === "ringcentral"}
            >
              {texts.connect}
            </Button>
          )}
        </>
      }
    >
      <form
        id={formId}
        ref={form}
        method="post"
        noValidate
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          // Enter in a field is not the answer to the question above it.
          if (!unconfirmed) void connect(false);
        }}
        onChange={() => setFailure(null)}
        className="flex flex-col gap-4"
      >
        {unconfirmed ? (
          <Callout ref={note} tone="warn" role="alert" tabIndex={-1} title={texts.otherName}>
            <p>
              <RichText
                text={texts.otherNameWhy}
                slots={{
                  identity: <strong className="font-medium text-ink">{unconfirmed.identity}</strong>,
                  username: <strong className="font-medium text-ink">{unconfirmed.username}</strong>,
                }}
              />
            </p>
          </Callout>
        ) : (
          failure && (
            <Callout ref={note} tone="danger" role="alert" tabIndex={-1} title={failure.title}>
              {failure.detail && <p>{failure.detail}</p>}
              {failure.code === "session_too_large" ? <p>{texts.nothingLost}</p> : advice && <p>{advice}</p>}
              {failure.requestId && (
                <p className="font-mono text-2xs">{uiTexts.failure.requestId(failure.requestId)}</p>
              )}
            </Callout>
          )
        )}
        {doors.ringex && prefill.username === undefined && (
          <div className="flex flex-col gap-3 border-line border-b pb-4">
            {doors.company !== null && (
              <div className="flex items-start gap-2 text-sm">
                <Checkbox
                  id={`${formId}-both`}
                  checked={ownsBoth}
                  onChange={(event) => setOwnsBoth(event.target.checked)}
                />
                <label htmlFor={`${formId}-both`} className="text-dim">
                  {texts.mine(doors.company)}
                </label>
              </div>
            )}
            <Button pending={pending === "ringcentral"} disabled={pending === "password"} onClick={leave}>
              {texts.ringcentral}
            </Button>
            <p className="text-center text-faint text-xs">{texts.orPassword}</p>
          </div>
        )}
        <Field label={texts.username} error={errorOf("username", texts.username)}>
          {(control) => (
            <TextInput
              {...control}
              name="username"
              type="text"
              inputMode="email"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              defaultValue={prefill.username ?? ""}
              required
            />
          )}
        </Field>
        <Field label={texts.password} error={errorOf("password", texts.password)} help={texts.passwordHelp}>
          {(control) => (
            <TextInput
              {...control}
              name="password"
              type="password"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              required
              {...(prefill.username === undefined ? {} : { "data-autofocus": true })}
            />
          )}
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={texts.host}>
            {(control) => (
              <Select {...control} name="host" value={host} onChange={(event) => setHost(event.target.value)}>
                <Hosts hosts={doors.hosts} legacyHosts={doors.legacyHosts} />
              </Select>
            )}
          </Field>
          {!legacy && (
            <Field label={texts.platformId} error={errorOf("platformId", texts.platformId)} help={texts.platformIdHelp}>
              {(control) => (
                <TextInput
                  {...control}
                  name="platformId"
                  type="text"
                  autoComplete="off"
                  autoCapitalize="none"
                  spellCheck={false}
                  defaultValue={prefill.platformId ?? ""}
                  className="font-mono"
                  required
                />
              )}
            </Field>
          )}
        </div>
        {legacy && (
          <div className="flex items-start gap-2 text-dim text-sm">
            <Checkbox id={`${formId}-stay`} name="staySignedIn" />
            <label htmlFor={`${formId}-stay`}>
              {texts.stay}
              <span className="block text-faint text-xs">{texts.stayHelp}</span>
            </label>
          </div>
        )}
      </form>
    </Dialog>
  );
}

function Hosts({ hosts, legacyHosts }: { hosts: string[]; legacyHosts: string[] }) {
  const options = (list: string[]) =>
    list.map((host) => (
      <option key={host} value={host}>
        {bareHost(host)}
      </option>
    ));
  if (legacyHosts.length === 0) return options(hosts);
  return (
    <>
      <optgroup label={texts.ringcx}>{options(hosts)}</optgroup>
      <optgroup label={texts.legacy}>{options(legacyHosts)}</optgroup>
    </>
  );
}
