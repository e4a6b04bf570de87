"use client";

import { useId, useState } from "react";
import { connectionSwitcher } from "@/components/commands/requests";
import { setShortcuts, useModifier, useShortcutsOn } from "@/components/commands/shortcuts";
import type { Person } from "@/components/shell/person";
import { placesOf } from "@/components/shell/places";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Checkbox } from "@/components/ui/field";
import { Keys } from "@/components/ui/key";
import { commandsTexts } from "@/lib/texts/commands";
import { uiTexts } from "@/lib/texts/ui";

const texts = commandsTexts.sheet;

type HelpSheetProps = { role: Person["role"]; onClose: () => void; returnFocus: () => void };

/** What the keys do, and the switch for those that are single characters. */
export function HelpSheet({ role, onClose, returnFocus }: HelpSheetProps) {
  const on = useShortcutsOn();
  const modifier = useModifier();
  const [forgotten, setForgotten] = useState(false);
  const [switcher] = useState(() => connectionSwitcher()?.open != null);
  const box = useId();
  const single: Row[] = [
    { what: texts.thisSheet, keys: ["?"] },
    { what: texts.search, keys: ["/"] },
    { what: texts.newToken, keys: ["n"] },
    ...(switcher ? [{ what: texts.switchConnection, keys: ["c"] }] : []),
  ];
  return (
    <Dialog
      title={texts.title}
      description={texts.description}
      onClose={onClose}
      returnFocus={returnFocus}
      wide
      footer={<Button onClick={onClose}>{uiTexts.actions.close}</Button>}
    >
      {/* The focus comes here: the switch below would scroll a small screen to its end. */}
      <div tabIndex={-1} data-autofocus className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        <Group name={texts.always} rows={[{ what: texts.commands, keys: [modifier, "K"] }]} />
        <Group name={texts.inCommands} rows={inPalette} />
        <Group name={texts.singleKeys} rows={single} off={!on} />
        <Group
          name={texts.goTo}
          rows={placesOf(role).map(({ name, key }) => ({ what: name, keys: ["g", key] }))}
          note={texts.sequence}
          off={!on}
        />
      </div>
      <div className="mt-5 flex items-start gap-3 rounded-lg border border-line bg-sunken px-3 py-2.5">
        <Checkbox
          id={box}
          checked={on}
          aria-describedby={`${box}-help`}
          className="-mt-0.5 mb-0"
          onChange={({ target }) => setForgotten(!setShortcuts(target.checked))}
        />
        <div className="min-w-0">
          <label htmlFor={box} className="block font-medium text-sm">
            {texts.use}
          </label>
          <p id={`${box}-help`} className="text-dim text-xs">
            {texts.useHelp(modifier)}
          </p>
          <p role="status" className="text-warn text-xs not-empty:mt-1">
            {forgotten && texts.forgotten}
          </p>
        </div>
      </div>
    </Dialog>
  );
}

type Row = { what: string; keys: readonly string[] };

const inPalette: Row[] = [
  { what: texts.upAndDown, keys: ["↑", "↓"] },
  { what: texts.choose, keys: [texts.enter] },
  { what: uiTexts.actions.close, keys: [texts.escape] },
];

function Group({
  name,
  rows,
  note,
  off = false,
}: {
  name: string;
  rows: readonly Row[];
  note?: string;
  off?: boolean;
}) {
  const heading = useId();
  return (
    <section aria-labelledby={heading}>
      <h3 id={heading} className="flex items-baseline justify-between gap-2 font-medium text-ink text-sm">
        {name}
        {(off || note) && <span className="font-normal text-faint text-xs">{off ? texts.off : note}</span>}
      </h3>
      <dl className="mt-1 text-sm">
        {rows.map(({ what, keys }) => (
          <div
            key={what}
            className="flex min-h-7 items-center justify-between gap-4 border-line border-b last:border-b-0"
          >
            <dt className="text-dim">{what}</dt>
            <dd>
              <Keys keys={keys} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
