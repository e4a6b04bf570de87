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

type HelpSheetProps = { role: Person["role"]; onClose: () => void; returnFocus: () => void };

/** What the keys do, and the switch for those that are single characters. */
export function HelpSheet({ role, onClose, returnFocus }: HelpSheetProps) {
  const on = useShortcutsOn();
  const modifier = useModifier();
  const [forgotten, setForgotten] = useState(false);
  const [switcher] = useState(() => connectionSwitcher()?.open != null);
  const box = useId();
  const single: Row[] = [
    { what: "This sheet", keys: ["?"] },
    { what: "Search on this page", keys: ["/"] },
    { what: "New token, on the tokens page", keys: ["n"] },
    ...(switcher ? [{ what: "Switch connection", keys: ["c"] }] : []),
  ];
  return (
    <Dialog
      title="Keyboard shortcuts"
      description="They do nothing while you type in a field or a dialog is open."
      onClose={onClose}
      returnFocus={returnFocus}
      wide
      footer={<Button onClick={onClose}>Close</Button>}
    >
      {/* The focus comes here: the switch below would scroll a small screen to its end. */}
      <div tabIndex={-1} data-autofocus className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        <Group name="Always" rows={[{ what: "Commands", keys: [modifier, "K"] }]} />
        <Group name="In the commands" rows={inPalette} />
        <Group name="Single keys" rows={single} off={!on} />
        <Group
          name="Go to"
          rows={placesOf(role).map(({ name, key }) => ({ what: name, keys: ["g", key] }))}
          note="One after the other"
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
            Use single keys and sequences
          </label>
          <p id={`${box}-help`} className="text-dim text-xs">
            Switch them off when you speak to your computer, or press keys by chance. {modifier} K works all the same.
            This browser remembers it.
          </p>
          <p role="status" className="text-warn text-xs not-empty:mt-1">
            {forgotten &&
              "This browser keeps nothing for this site: the choice is forgotten when the page is loaded again."}
          </p>
        </div>
      </div>
    </Dialog>
  );
}

type Row = { what: string; keys: readonly string[] };

const inPalette: Row[] = [
  { what: "Up and down", keys: ["↑", "↓"] },
  { what: "Choose", keys: ["Enter"] },
  { what: "Close", keys: ["Esc"] },
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
        {(off || note) && <span className="font-normal text-faint text-xs">{off ? "Switched off" : note}</span>}
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
