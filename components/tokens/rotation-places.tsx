"use client";

import { X } from "lucide-react";
import { type FormEvent, useId, useRef, useState } from "react";
import { call, type Failure } from "@/components/http";
import { plannedSchema, rotationPath } from "@/components/tokens/answers";
import { placesDone } from "@/components/tokens/rotation-badges";
import { Button, buttonClass } from "@/components/ui/button";
import { Checkbox, Field, TextInput } from "@/components/ui/field";
import { tokensTexts } from "@/lib/texts/tokens";
import { maxPlaces, type OwnRotation, planRotationSchema, type RotationPlace } from "@/lib/tokens/schema";

const texts = tokensTexts.places;

/** Each change is saved at once; while one is on its way the latest of those after it waits. */
export function useSavedPlaces(rotation: OwnRotation) {
  const [places, setPlaces] = useState(rotation.places);
  const [failure, setFailure] = useState<Failure | null>(null);
  const saved = useRef(rotation.places);
  const wanted = useRef<RotationPlace[] | null>(null);
  const saving = useRef<Promise<void> | null>(null);

  async function send(): Promise<void> {
    while (wanted.current) {
      const json = { places: wanted.current };
      wanted.current = null;
      const answer = await call(rotationPath(rotation), { method: "PATCH", json, answer: plannedSchema });
      if (answer.ok) saved.current = json.places;
      else if (wanted.current === null) setPlaces(saved.current);
      setFailure(answer.ok ? null : answer.failure);
    }
    saving.current = null;
  }

  return {
    places,
    failure,
    save(next: RotationPlace[]) {
      setPlaces(next);
      wanted.current = next;
      saving.current ??= send();
    },
    /** When nothing is on its way any more. */
    settled: () => saving.current ?? Promise.resolve(),
  };
}

type RotationPlacesProps = { places: readonly RotationPlace[]; onChange: (places: RotationPlace[]) => void };

/** Where the old token is used, to be ticked off. */
export function RotationPlaces({ places, onChange }: RotationPlacesProps) {
  const listId = useId();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<string | null>(null);

  function add(event: FormEvent) {
    event.preventDefault();
    const place = typed.trim();
    if (place === "") return;
    const next = [...places, { place, done: false }];
    if (places.some((one) => one.place === place)) setError(texts.double);
    else if (places.length >= maxPlaces) setError(texts.atMost(maxPlaces));
    else if (!planRotationSchema.safeParse({ places: next }).success) setError(texts.wrong);
    else {
      onChange(next);
      setTyped("");
      setError(null);
    }
  }

  return (
    <div className="flex flex-col gap-2">
      <fieldset>
        <legend className="font-medium text-sm">{texts.title}</legend>
        <p role="status" className="text-dim text-xs tabular-nums">
          {placesDone(places) || texts.none}
        </p>
        {places.length > 0 && (
          <ul className="mt-1.5 divide-y divide-line rounded-lg border border-line">
            {places.map((one, index) => (
              <li key={one.place} className="flex items-center gap-1 pr-1.5 pl-3 text-sm">
                <label htmlFor={`${listId}-${index}`} className="flex min-w-0 flex-1 items-center gap-2.5 py-2">
                  <Checkbox
                    id={`${listId}-${index}`}
                    checked={one.done}
                    onChange={(event) =>
                      onChange(
                        places.map((other, at) => (at === index ? { ...one, done: event.target.checked } : other)),
                      )
                    }
                  />
                  <span className={one.done ? "min-w-0 break-words text-dim line-through" : "min-w-0 break-words"}>
                    {one.place}
                  </span>
                </label>
                <button
                  type="button"
                  aria-label={texts.remove(one.place)}
                  className={buttonClass("ghost", "icon-sm")}
                  onClick={() => {
                    onChange(places.filter((_, at) => at !== index));
                    input.current?.focus();
                  }}
                >
                  <X className="size-3.5" aria-hidden="true" />
                </button>
              </li>
            ))}
          </ul>
        )}
      </fieldset>
      <form onSubmit={add} noValidate>
        <Field label={texts.another} error={error}>
          {(control) => (
            <span className="flex gap-2">
              <TextInput
                {...control}
                ref={input}
                value={typed}
                autoComplete="off"
                placeholder={texts.example}
                onChange={(event) => setTyped(event.target.value)}
              />
              <Button type="submit">{texts.add}</Button>
            </span>
          )}
        </Field>
      </form>
    </div>
  );
}
