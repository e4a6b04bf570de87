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
import { useToast } from "@/components/ui/toast";

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
    toast({ title: known ? "It was connected already" : "Connected", detail: connectionName(connection) });
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
  const errorOf = (name: string, label: string) => (missing.includes(name) ? `${label} is needed` : null);
  return (
    <Dialog
      title={prefill.username === undefined ? "Connect RingCX account" : "Reconnect RingCX account"}
      description={`${connections.length === 0 ? "How you signed in stays as it is." : "Beside what is connected already."} Its session is kept encrypted in this browser's cookie.`}
      onClose={() => pending || onClose()}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose} disabled={pending !== null}>
            Cancel
          </Button>
          {unconfirmed ? (
            <Button variant="primary" pending={pending === "password"} onClick={() => connect(true)}>
              Yes, connect {unconfirmed.username}
            </Button>
          ) : (
            <Button
              type="submit"
              form={formId}
              variant="primary"
              pending={pending === "password"}
              disabled={pending === "ringcentral"}
            >
              Connect
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
          <Callout ref={note} tone="warn" role="alert" tabIndex={-1} title="This RingCX user has another name">
            <p>
              You are signed in as <strong className="font-medium text-ink">{unconfirmed.identity}</strong>; the RingCX
              user is <strong className="font-medium text-ink">{unconfirmed.username}</strong>. Connect it only if it is
              yours: what you do through it is written down under both names.
            </p>
          </Callout>
        ) : (
          failure && (
            <Callout ref={note} tone="danger" role="alert" tabIndex={-1} title={failure.title}>
              {failure.detail && <p>{failure.detail}</p>}
              {failure.code === "session_too_large" ? (
                <p>Nothing was lost: the accounts that you had are still connected, and the new sign-in was ended.</p>
              ) : (
                advice && <p>{advice}</p>
              )}
              {failure.requestId && <p className="font-mono text-2xs">Request ID {failure.requestId}</p>}
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
                  It is mine, also if RingCX knows me by another name than {doors.company}
                </label>
              </div>
            )}
            <Button pending={pending === "ringcentral"} disabled={pending === "password"} onClick={leave}>
              Continue with RingCentral
            </Button>
            <p className="text-center text-faint text-xs">or with a password</p>
          </div>
        )}
        <Field label="Username" error={errorOf("username", "Username")}>
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
        <Field label="Password" error={errorOf("password", "Password")} help="It goes to RingCX once and is not kept.">
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
          <Field label="Host">
            {(control) => (
              <Select {...control} name="host" value={host} onChange={(event) => setHost(event.target.value)}>
                <Hosts hosts={doors.hosts} legacyHosts={doors.legacyHosts} />
              </Select>
            )}
          </Field>
          {!legacy && (
            <Field
              label="Platform ID"
              error={errorOf("platformId", "Platform ID")}
              help="The short code from RingCentral, such as aws80"
            >
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
              Stay signed in for two weeks
              <span className="block text-faint text-xs">Else the portal ends it after an hour without use</span>
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
      <optgroup label="RingCX">{options(hosts)}</optgroup>
      <optgroup label="Legacy portal">{options(legacyHosts)}</optgroup>
    </>
  );
}
