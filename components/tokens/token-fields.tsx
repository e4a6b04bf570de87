"use client";

import { useEffect, useId, useRef } from "react";
import { Field, TextArea, TextInput } from "@/components/ui/field";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.fields;

/** What the person types; empty text means nothing. */
export type TokenText = { label: string; purpose: string; usedIn: string; environment: string; rotateBy: string };

export type TokenTextErrors = Partial<Record<keyof TokenText, string>>;

type TokenFieldsProps = {
  text: TokenText;
  errors: TokenTextErrors;
  /** The earliest sensible date. */
  today: string;
  labelOptional?: boolean;
  onChange: (text: TokenText) => void;
};

export function TokenFields({ text, errors, today, labelOptional = false, onChange }: TokenFieldsProps) {
  const suggestions = useId();
  const fields = useRef<HTMLDivElement>(null);

  // Each attempt brings a new object: the first field that is wrong takes the focus, and with it its message is read.
  useEffect(() => {
    const wrong = (["label", "purpose", "usedIn", "environment", "rotateBy"] as const).find((name) => errors[name]);
    if (wrong) fields.current?.querySelector<HTMLElement>(`[name=${wrong}]`)?.focus();
  }, [errors]);

  const bind = (name: keyof TokenText) => ({
    name,
    value: text[name],
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => onChange({ ...text, [name]: event.target.value }),
  });
  return (
    <div ref={fields} className="flex flex-col gap-4">
      <Field label={texts.label} optional={labelOptional} error={errors.label} help={texts.labelHelp}>
        {(control) => <TextInput {...control} {...bind("label")} maxLength={100} required={!labelOptional} />}
      </Field>
      <Field label={texts.purpose} optional error={errors.purpose}>
        {(control) => <TextArea {...control} {...bind("purpose")} maxLength={500} rows={2} />}
      </Field>
      <Field label={texts.usedIn} optional error={errors.usedIn} help={texts.usedInHelp}>
        {(control) => <TextArea {...control} {...bind("usedIn")} maxLength={500} rows={2} />}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={texts.environment} optional error={errors.environment}>
          {(control) => <TextInput {...control} {...bind("environment")} maxLength={50} list={suggestions} />}
        </Field>
        <Field label={texts.rotateBy} optional error={errors.rotateBy} help={texts.rotateByHelp}>
          {(control) => (
            <TextInput {...control} {...bind("rotateBy")} type="date" min={today} className="tabular-nums" />
          )}
        </Field>
      </div>
      <datalist id={suggestions}>
        <option value="production" />
        <option value="staging" />
        <option value="development" />
      </datalist>
    </div>
  );
}
