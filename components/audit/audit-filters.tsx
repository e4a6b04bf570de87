"use client";

import clsx from "clsx";
import { SlidersHorizontal } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { actionGroups } from "@/components/audit/audit-text";
import { type AuditView, everything, filterEntries } from "@/components/audit/audit-view-query";
import { useSearchKey } from "@/components/commands/shortcuts";
import { Button } from "@/components/ui/button";
import { Select, TextInput } from "@/components/ui/field";
import { auditActions, auditOutcomes } from "@/lib/audit/schema";
import { auditTexts } from "@/lib/texts/audit";
import { uiTexts } from "@/lib/texts/ui";
import { searchText } from "@/lib/tokens/schema";

const texts = auditTexts.filters;

const debounce = 350;

type Filters = Pick<AuditView, "actor" | "action" | "outcome" | "token" | "from" | "to">;

type AuditFiltersProps = { view: AuditView; onFilter: (patch: Partial<Filters>) => void };

export function AuditFilters({ view, onFilter }: AuditFiltersProps) {
  const [shown, setShown] = useState(false);
  const panel = useId();
  const count = filterEntries(view).length;
  const { actor, action, outcome, token, from, to } = everything;
  return (
    <search className="mb-3 block">
      <Button aria-expanded={shown} aria-controls={panel} onClick={() => setShown(!shown)} className="w-full sm:hidden">
        <SlidersHorizontal className="size-3.5 text-faint" aria-hidden="true" />
        {texts.filters(count)}
      </Button>
      <div
        id={panel}
        className={clsx(
          "grid grid-cols-2 items-end gap-2 max-sm:mt-2 sm:grid-cols-3 xl:flex xl:flex-wrap",
          !shown && "max-sm:hidden",
        )}
      >
        <TextFilter
          name={texts.actor}
          first
          placeholder={texts.actorHelp}
          value={view.actor}
          onValue={(value) => onFilter({ actor: value })}
          className="xl:w-52"
        />
        <Control name={texts.action} className="xl:w-48">
          {(id) => (
            <Select
              id={id}
              value={view.action ?? ""}
              onChange={({ target }) => onFilter({ action: oneOf(auditActions, target.value) })}
            >
              <option value="">{texts.anyAction}</option>
              {actionGroups.map((group) => (
                <optgroup key={group.name} label={group.name}>
                  {group.actions.map((name) => (
                    <option key={name} value={name}>
                      {auditTexts.actions[name]}
                    </option>
                  ))}
                </optgroup>
              ))}
            </Select>
          )}
        </Control>
        <Control name={texts.outcome} className="xl:w-36">
          {(id) => (
            <Select
              id={id}
              value={view.outcome ?? ""}
              onChange={({ target }) => onFilter({ outcome: oneOf(auditOutcomes, target.value) })}
            >
              <option value="">{texts.anyOutcome}</option>
              {auditOutcomes.map((name) => (
                <option key={name} value={name}>
                  {auditTexts.outcomes[name]}
                </option>
              ))}
            </Select>
          )}
        </Control>
        <TextFilter
          name={texts.token}
          placeholder={texts.tokenHelp}
          value={view.token}
          onValue={(value) => onFilter({ token: value })}
          className="xl:w-44 [&_input]:font-mono [&_input]:text-xs"
        />
        <DayFilter name={texts.from} value={view.from} max={view.to} onValue={(value) => onFilter({ from: value })} />
        <DayFilter name={texts.to} value={view.to} min={view.from} onValue={(value) => onFilter({ to: value })} />
        {count > 0 && (
          <Button
            variant="ghost"
            className="col-span-full"
            onClick={() => onFilter({ actor, action, outcome, token, from, to })}
          >
            {uiTexts.actions.clearFilters}
          </Button>
        )}
      </div>
    </search>
  );
}

type ControlProps = {
  name: string;
  note?: string;
  /** Why nothing was taken over of what was typed. */
  refusal?: string;
  className?: string;
  children: (id: string) => ReactNode;
};

function Control({ name, note, refusal, className, children }: ControlProps) {
  const id = useId();
  return (
    <div className={clsx("relative flex min-w-0 flex-col gap-1", className)}>
      <span className="flex justify-between gap-2 text-2xs">
        <label htmlFor={id} className="font-medium text-dim">
          {name}
        </label>
        {note && (
          <span id={`${id}-note`} className="text-faint">
            {note}
          </span>
        )}
      </span>
      {children(id)}
      {refusal !== undefined && (
        <p
          role="status"
          className="absolute top-full left-0 z-10 not-empty:mt-1 not-empty:rounded not-empty:bg-warn-soft not-empty:px-2 not-empty:py-1 text-2xs text-warn"
        >
          {refusal}
        </p>
      )}
    </div>
  );
}

type TextFilterProps = {
  name: string;
  placeholder: string;
  value: string;
  onValue: (value: string) => void;
  /** The one that `/` leads to. */
  first?: boolean;
  className?: string;
};

/**
 * A box whose text goes into the address a moment after the last key, or at once with Enter, and which follows the
 * address when that changes by other means (Back, "Clear filters").
 */
function useTyped(value: string, onValue: (value: string) => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [typed, setTyped] = useState(value);
  const [asked, setAsked] = useState(value);
  if (value !== asked && timer.current === undefined) {
    setAsked(value);
    setTyped(value);
  }
  useEffect(() => () => clearTimeout(timer.current), []);

  function ask(text: string) {
    clearTimeout(timer.current);
    timer.current = undefined;
    setAsked(text);
    if (text !== value) onValue(text);
  }
  /** `text`: what is asked for; null: nothing for now. */
  function type(shown: string, text: string | null) {
    setTyped(shown);
    clearTimeout(timer.current);
    timer.current = undefined;
    if (text !== null) timer.current = setTimeout(() => ask(text), debounce);
  }
  return { typed, type, ask };
}

/** A pasted token value never goes into the address. */
function TextFilter({ name, placeholder, value, onValue, first = false, className }: TextFilterProps) {
  const { typed, type, ask } = useTyped(value, onValue);
  const searchKey = useSearchKey();
  const [refused, setRefused] = useState(false);
  return (
    <Control name={name} refusal={refused ? texts.notAValue : ""} {...(className === undefined ? {} : { className })}>
      {(id) => (
        // Not in a form: nothing but the code here may put this text into the address.
        <TextInput
          id={id}
          {...(first ? searchKey : {})}
          value={typed}
          placeholder={placeholder}
          inputMode="search"
          enterKeyHint="search"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={({ target }) => {
            const isValue = searchText(target.value).masked !== null;
            setRefused(isValue);
            if (isValue) type("", null);
            else type(target.value, target.value.trim());
          }}
          onKeyDown={({ key }) => {
            if (key === "Enter") ask(typed.trim());
            if (key === "Escape" && typed !== "") {
              type("", null);
              ask("");
            }
          }}
        />
      )}
    </Control>
  );
}

type DayFilterProps = {
  name: string;
  value: string | null;
  min?: string | null;
  max?: string | null;
  onValue: (value: string | null) => void;
};

function DayFilter({ name, value, min, max, onValue }: DayFilterProps) {
  const { typed, type, ask } = useTyped(value ?? "", (day) => onValue(day || null));
  return (
    <Control name={name} note={texts.zone} className="xl:w-36">
      {(id) => (
        <TextInput
          id={id}
          type="date"
          aria-describedby={`${id}-note`}
          value={typed}
          min={min ?? undefined}
          max={max ?? undefined}
          // Half a date is no value, and no wish to have none.
          onChange={({ target }) => type(target.value, target.validity.badInput ? null : target.value)}
          onKeyDown={({ key }) => key === "Enter" && ask(typed)}
        />
      )}
    </Control>
  );
}

function oneOf<T extends string>(values: readonly T[], value: string): T | null {
  return values.find((one) => one === value) ?? null;
}
