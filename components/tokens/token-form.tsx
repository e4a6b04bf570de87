"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { type Answer, call } from "@/components/http";
import { useSubmission } from "@/components/submission";
import { type Created, createdSchema } from "@/components/tokens/answers";
import { LeaveQuestion } from "@/components/tokens/leave-question";
import type { TokenText, TokenTextErrors } from "@/components/tokens/token-fields";
import type { Checked } from "@/components/tokens/token-text";

type TokenForm<Body, T> = {
  initial: () => TokenText;
  check: (text: TokenText) => Checked<Body>;
  send: (body: Body) => Promise<Answer<T>>;
  onDone: (value: T) => void;
};

/** What a person says of a token: typed, checked, and sent once. */
export function useTokenForm<Body, T>({ initial, check, send, onDone }: TokenForm<Body, T>) {
  const [text, setText] = useState(initial);
  const [errors, setErrors] = useState<TokenTextErrors>({});
  const { pending, failure, submit } = useSubmission();

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    const { body, errors } = check(text);
    setErrors(errors ?? {});
    if (body === null) return;
    const value = await submit(() => send(body));
    if (value !== null) onDone(value);
  }

  return { fields: { text, errors, onChange: setText }, pending, failure, onSubmit };
}

type Creation<Body> = Pick<TokenForm<Body, never>, "initial" | "check"> & { path: string };

/** The form of a new token, and then its value, which is not to be left behind uncopied without a question. */
export function useCreation<Body>({ path, initial, check }: Creation<Body>) {
  const router = useRouter();
  const [created, setCreated] = useState<Created | null>(null);
  const [copied, setCopied] = useState(false);
  const [leaving, setLeaving] = useState<(() => void) | null>(null);
  const form = useTokenForm({
    initial,
    check,
    send: (body) => call(path, { method: "POST", json: body, answer: createdSchema }),
    onDone: (value) => {
      setCreated(value);
      router.refresh();
    },
  });

  /** Goes on with `next`: not while RingCX is being asked, and after a question when the value was not copied. */
  function leaveTo(next: () => void) {
    if (form.pending || leaving) return;
    if (created && !copied) setLeaving(() => next);
    else next();
  }

  return {
    ...form,
    created,
    copied,
    onCopied: () => setCopied(true),
    leaveTo,
    question: leaving && <LeaveQuestion onStay={() => setLeaving(null)} onLeave={leaving} />,
  };
}
