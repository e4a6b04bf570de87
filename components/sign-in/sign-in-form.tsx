"use client";

import clsx from "clsx";
import { Eye, EyeOff } from "lucide-react";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { z } from "zod";
import { call, type Failure } from "@/components/http";
import { readRemembered, writeRemembered } from "@/components/sign-in/remembered";
import { signInAdvice } from "@/components/sign-in/sign-in-advice";
import { Callout } from "@/components/ui/callout";
import { Checkbox, Field, Select, TextInput } from "@/components/ui/field";
import { SubmitButton } from "@/components/ui/submit-button";
import { signInTexts } from "@/lib/texts/sign-in";
import { uiTexts } from "@/lib/texts/ui";

const texts = signInTexts.form;

const fields = { username: texts.username, password: texts.password, platformId: texts.platformId } as const;
type FieldName = keyof typeof fields;

const csrfSchema = z.object({ csrfToken: z.string() });
const signedInSchema = z.object({ url: z.string() });

const bareHost = (origin: string) => origin.replace(/^https?:\/\//, "");

type SignInFormProps = { hosts: string[]; legacyHosts: string[]; returnPath: string };

export function SignInForm({ hosts, legacyHosts, returnPath }: SignInFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const summary = useRef<HTMLDivElement>(null);
  const rememberId = useId();
  const stayId = useId();
  const [host, setHost] = useState(hosts[0] ?? "");
  const [visible, setVisible] = useState(false);
  const [pending, setPending] = useState(false);
  const [missing, setMissing] = useState<FieldName[]>([]);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [wait, setWait] = useState(0);
  const [waitEnds, setWaitEnds] = useState(0);

  useEffect(() => {
    const remembered = readRemembered();
    const elements = form.current?.elements;
    // The browser may have brought back what was chosen before a reload.
    const chosen = elements?.namedItem("host");
    if (chosen instanceof HTMLSelectElement) setHost(chosen.value);
    if (!remembered || !elements) return;
    for (const [name, value] of Object.entries(remembered)) {
      const control = elements.namedItem(name);
      if (control instanceof HTMLInputElement && control.value === "") control.value = value;
      if (control instanceof HTMLSelectElement && [...hosts, ...legacyHosts].includes(value)) setHost(value);
    }
    const remember = elements.namedItem("remember");
    if (remember instanceof HTMLInputElement) remember.checked = true;
    const password = elements.namedItem("password");
    if (password instanceof HTMLInputElement && document.activeElement === document.body) password.focus();
  }, [hosts, legacyHosts]);

  useEffect(() => {
    if (missing.length > 0 || failure) summary.current?.focus();
  }, [missing, failure]);

  const waiting = wait > 0;
  useEffect(() => {
    if (waitEnds === 0) return;
    // By the clock, not by the ticks: a machine that slept has waited all the same.
    const tick = () => {
      const left = Math.max(0, Math.ceil((waitEnds - Date.now()) / 1000));
      setWait(left);
      if (left === 0) setWaitEnds(0);
    };
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [waitEnds]);

  const legacy = legacyHosts.includes(host);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (pending || waiting) return;
    const data = new FormData(event.currentTarget);
    const text = (name: string) => String(data.get(name) ?? "");
    const password = text("password");
    const typed = { username: text("username").trim(), platformId: legacy ? "" : text("platformId").trim(), host };
    const empty = (Object.keys(fields) as FieldName[]).filter((name) => {
      if (name === "platformId" && legacy) return false;
      return (name === "password" ? password : typed[name]) === "";
    });
    setFailure(null);
    setMissing(empty);
    if (empty.length > 0) return;

    setPending(true);
    const staySignedIn = data.get("staySignedIn") === "on";
    const failed = await signIn({ ...typed, password, ...(staySignedIn ? { staySignedIn: "true" } : {}) });
    if (failed) {
      setPending(false);
      setFailure(failed);
      if (failed.code === "rate_limited") setWaitEnds(Date.now() + (failed.retryAfter ?? 0) * 1000);
      return;
    }
    writeRemembered(data.get("remember") === "on" ? typed : null);
    // A full page load, so that nothing of an earlier session stays in the router's memory.
    location.assign(returnPath);
  }

  const errorOf = (name: FieldName) => (missing.includes(name) ? texts.needed(fields[name]) : null);
  const advice = failure ? signInAdvice(failure.code) : null;

  return (
    // Without a script, or before it runs, the form must not put the password into the address.
    <form
      ref={form}
      method="post"
      action="/api/auth/callback/ringcx"
      noValidate
      onSubmit={submit}
      className="mt-6 flex flex-col gap-4"
    >
      {missing.length > 0 && (
        <Callout
          ref={summary}
          tone="danger"
          role="alert"
          tabIndex={-1}
          title={texts.fillIn(missing.map((name) => fields[name]))}
        />
      )}
      {failure && (
        <Callout ref={summary} tone="danger" role="alert" tabIndex={-1} title={failure.title}>
          {failure.detail && <p>{failure.detail}</p>}
          {advice && <p>{advice}</p>}
          {failure.requestId && <p className="font-mono text-2xs">{uiTexts.failure.requestId(failure.requestId)}</p>}
        </Callout>
      )}
      <Field label={texts.username} error={errorOf("username")}>
        {(control) => (
          <TextInput
            {...control}
            name="username"
            type="text"
            inputMode="email"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            className="h-9"
          />
        )}
      </Field>
      <Field label={texts.password} error={errorOf("password")}>
        {(control) => (
          <div className="relative">
            <TextInput
              {...control}
              name="password"
              type={visible ? "text" : "password"}
              autoComplete="current-password"
              autoCapitalize="none"
              spellCheck={false}
              required
              className="h-9 pr-10"
            />
            <button
              type="button"
              aria-label={visible ? texts.hide : texts.show}
              aria-pressed={visible}
              onClick={() => setVisible(!visible)}
              className="absolute top-1 right-1 flex size-7 items-center justify-center rounded text-faint hover:bg-hover hover:text-ink pointer-coarse:top-0 pointer-coarse:right-0 pointer-coarse:size-10"
            >
              {visible ? (
                <EyeOff className="size-4" aria-hidden="true" />
              ) : (
                <Eye className="size-4" aria-hidden="true" />
              )}
            </button>
          </div>
        )}
      </Field>
      <div className={legacy ? "" : "grid gap-4 sm:grid-cols-2"}>
        {/* Hidden, not gone: what was typed is there again with the next host. */}
        <Field
          label={texts.platformId}
          error={errorOf("platformId")}
          help={texts.platformIdHelp}
          className={clsx(legacy && "hidden")}
        >
          {(control) => (
            <TextInput
              {...control}
              name="platformId"
              type="text"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              required={!legacy}
              className="h-9 font-mono"
            />
          )}
        </Field>
        <Field label={texts.host}>
          {(control) => (
            <Select
              {...control}
              name="host"
              value={host}
              onChange={(event) => {
                setHost(event.target.value);
                setMissing([]);
              }}
              className="[&>select]:h-9"
            >
              {hosts.map((origin) => (
                <option key={origin} value={origin}>
                  {bareHost(origin)}
                </option>
              ))}
              {legacyHosts.length > 0 && (
                <optgroup label={texts.legacy}>
                  {legacyHosts.map((portal) => (
                    <option key={portal} value={portal}>
                      {bareHost(portal)}
                    </option>
                  ))}
                </optgroup>
              )}
            </Select>
          )}
        </Field>
      </div>
      {legacy && (
        <div className="flex min-h-6 items-start gap-2 text-dim text-sm">
          <Checkbox id={stayId} name="staySignedIn" className="-mt-0.5" aria-describedby={`${stayId}-help`} />
          <div>
            <label htmlFor={stayId}>{texts.stay}</label>
            <p id={`${stayId}-help`} className="text-faint text-xs">
              {texts.stayHelp}
            </p>
          </div>
        </div>
      )}
      <div className="flex min-h-6 items-start gap-2 text-dim text-sm">
        <Checkbox id={rememberId} name="remember" className="-mt-0.5" aria-describedby={`${rememberId}-help`} />
        <div>
          <label htmlFor={rememberId}>{texts.remember}</label>
          <p id={`${rememberId}-help`} className="text-faint text-xs">
            {legacy ? texts.rememberLegacyHelp : texts.rememberHelp}
          </p>
        </div>
      </div>
      <SubmitButton
        variant="primary"
        size="lg"
        pending={pending}
        disabled={waiting}
        {...(waiting ? { "aria-describedby": "sign-in-wait" } : {})}
      >
        {texts.signIn}
      </SubmitButton>
      {waiting && (
        <p id="sign-in-wait" className="text-center text-dim text-sm tabular-nums">
          {texts.wait(wait)}
        </p>
      )}
    </form>
  );
}

/** Null when signed in. */
async function signIn(
  credentials: Record<"username" | "password" | "platformId" | "host", string> & { staySignedIn?: "true" },
): Promise<Failure | null> {
  const csrf = await call("/api/auth/csrf", { method: "GET", answer: csrfSchema });
  if (!csrf.ok) return csrf.failure;
  const answer = await call("/api/auth/callback/ringcx", {
    method: "POST",
    form: { ...credentials, csrfToken: csrf.value.csrfToken, json: "true" },
    answer: signedInSchema,
  });
  return answer.ok ? null : answer.failure;
}
