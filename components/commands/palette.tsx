"use client";

import clsx from "clsx";
import { Search, X } from "lucide-react";
import { Dialog } from "radix-ui";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { type Command, useCommands } from "@/components/commands/command-list";
import { matching } from "@/components/commands/matching";
import type { RecentPage } from "@/components/commands/recent-pages";
import { isApple, useShortcutsOn } from "@/components/commands/shortcuts";
import type { Person } from "@/components/shell/person";
import { buttonClass } from "@/components/ui/button";
import { Keys } from "@/components/ui/key";
import { commandsTexts } from "@/lib/texts/commands";
import { uiTexts } from "@/lib/texts/ui";
import { searchText } from "@/lib/tokens/schema";

const texts = commandsTexts.palette;

type PaletteProps = {
  role: Person["role"];
  /** The path of the page below. */
  here: string;
  recent: readonly RecentPage[];
  onClose: () => void;
  /** Gives the focus back to what had it. */
  returnFocus: () => void;
};

const masks = { whole: texts.maskedWhole, part: texts.maskedPart } as const;

/** Everything that can be done, by its name. Open for as long as it is mounted; what was chosen is done after it. */
export function Palette({ role, here, recent, onClose, returnFocus }: PaletteProps) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const chosen = useRef<Command | null>(null);
  const [typed, setTyped] = useState("");
  const [masked, setMasked] = useState<ReturnType<typeof searchText>["masked"]>(null);
  const [at, setAt] = useState(0);
  const keysOn = useShortcutsOn();

  const { commands, searches } = useCommands({ role, here, recent });
  const shown = useMemo(() => {
    if (masked === "part") return [];
    const text = typed.trim();
    return text === "" ? commands : [...matching(commands, text), ...searches(text)];
  }, [commands, searches, typed, masked]);
  const active = shown[at];

  // biome-ignore lint/correctness/useExhaustiveDependencies: the option that is active now is looked up by its role
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [active]);

  function type(text: string) {
    const found = searchText(text);
    setMasked(found.masked);
    setTyped(found.masked === "whole" ? found.text : text);
    setAt(0);
  }
  function choose(command: Command | undefined) {
    if (!command) return;
    chosen.current = command;
    onClose();
  }
  function press(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined && shown.length > 0) {
      const last = shown.length - 1;
      // One step goes round, a longer one stops.
      if (Math.abs(step) === 1) setAt((at + step + shown.length) % shown.length);
      else setAt(Math.max(0, Math.min(last, at + step)));
    } else if (event.key === "Enter") choose(active);
    else if (event.key.toLowerCase() === "k" && (isApple() ? event.metaKey : event.ctrlKey)) onClose();
    else return;
    event.preventDefault();
  }

  return (
    <Dialog.Root open onOpenChange={(open) => open || onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-appear bg-(--scrim)" />
        <Dialog.Content
          aria-describedby={undefined}
          // A note about what was copied lies above, and would have the first Escape to itself.
          onKeyDown={({ key, defaultPrevented }) => key === "Escape" && !defaultPrevented && onClose()}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            returnFocus();
            chosen.current?.run();
          }}
          className={clsx(
            "fixed inset-x-2 top-2 z-50 flex max-h-[min(30rem,calc(100dvh-1rem))] animate-rise flex-col overflow-hidden rounded-xl bg-surface shadow-overlay outline-none",
            "sm:inset-x-auto sm:top-[12vh] sm:left-1/2 sm:w-[min(38rem,calc(100vw-4rem))] sm:-translate-x-1/2",
          )}
        >
          <Dialog.Title className="sr-only">{texts.title}</Dialog.Title>
          <div className="flex items-center gap-2.5 border-line border-b pr-2 pl-3.5">
            <Search className="size-4 shrink-0 text-faint" aria-hidden="true" />
            <input
              type="text"
              role="combobox"
              aria-label={texts.label}
              aria-expanded={shown.length > 0}
              aria-autocomplete="list"
              {...(shown.length > 0 ? { "aria-controls": `${id}-list` } : {})}
              {...(active ? { "aria-activedescendant": `${id}-${active.id}` } : {})}
              placeholder={texts.placeholder}
              autoComplete="off"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              enterKeyHint="go"
              value={typed}
              onChange={({ target }) => type(target.value)}
              onKeyDown={press}
              className="h-12 min-w-0 flex-1 bg-transparent text-base text-ink outline-none"
            />
            <Dialog.Close className={buttonClass("ghost", "icon-sm")} aria-label={uiTexts.actions.close}>
              <X className="size-4" aria-hidden="true" />
            </Dialog.Close>
          </div>
          <p role="status" className="sr-only">
            {masked === null && texts.found(shown.length)}
          </p>
          <p
            role="status"
            className="text-dim text-xs not-empty:border-line not-empty:border-b not-empty:px-4 not-empty:py-2"
          >
            {masked !== null && masks[masked]}
          </p>
          {shown.length > 0 && (
            <div
              ref={list}
              id={`${id}-list`}
              role="listbox"
              aria-label={texts.results}
              className="min-h-0 flex-1 overflow-y-auto overscroll-contain p-1.5"
            >
              {grouped(shown, typed.trim() !== "").map(({ name, commands: members }, index) => (
                // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a list of options
                <div key={name} role="group" aria-labelledby={`${id}-group-${index}`} className="not-first:mt-1.5">
                  <p id={`${id}-group-${index}`} role="presentation" className="px-2.5 pt-1.5 pb-1 text-faint text-xs">
                    {name}
                  </p>
                  {members.map((command) => (
                    <Option
                      key={command.id}
                      id={`${id}-${command.id}`}
                      command={command}
                      active={command === active}
                      keysOn={keysOn}
                      onPoint={() => setAt(shown.indexOf(command))}
                      onChoose={() => choose(command)}
                    />
                  ))}
                </div>
              ))}
            </div>
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

type OptionProps = {
  id: string;
  command: Command;
  active: boolean;
  keysOn: boolean;
  onPoint: () => void;
  onChoose: () => void;
};

function Option({ id, command, active, keysOn, onPoint, onChoose }: OptionProps) {
  const { name, detail, icon: Icon, keys } = command;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the focus and the keys stay in the box above
    <div
      id={id}
      role="option"
      aria-selected={active}
      tabIndex={-1}
      onPointerMove={() => active || onPoint()}
      onPointerDown={(event) => event.preventDefault()}
      onClick={onChoose}
      className={clsx(
        "flex min-h-9 cursor-pointer select-none items-center gap-2.5 rounded-md px-2.5 py-1 text-sm",
        active ? "bg-hover text-ink" : "text-dim",
      )}
    >
      <Icon className={clsx("size-4 shrink-0", active ? "text-accent" : "text-faint")} aria-hidden="true" />
      <span className="min-w-0 truncate">{name}</span>
      {detail && <span className="min-w-0 flex-1 truncate text-faint text-xs">{detail}</span>}
      {keys && keysOn && (
        // Not in the name: the sheet says them.
        <span className="ml-auto max-sm:hidden" aria-hidden="true">
          <Keys keys={keys} />
        </span>
      )}
    </div>
  );
}

/** Side by side they stand as they came; `flat`: best first, whatever they are. */
function grouped(commands: readonly Command[], flat: boolean): { name: string; commands: Command[] }[] {
  const groups = new Map<string, Command[]>();
  for (const command of commands) {
    const name = flat && command.group !== "search" ? texts.results : commandsTexts.list.groups[command.group];
    groups.set(name, [...(groups.get(name) ?? []), command]);
  }
  return [...groups].map(([name, members]) => ({ name, commands: members }));
}
