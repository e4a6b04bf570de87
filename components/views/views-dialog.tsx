"use client";

import { Pencil, Trash2 } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { Button, buttonClass } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { Field, TextInput } from "@/components/ui/field";
import { useToast } from "@/components/ui/toast";
import {
  deleteView,
  describeQuery,
  linkTo,
  longestName,
  renameView,
  type SavedView,
  saveView,
  type ViewPage,
} from "@/components/views/saved-views";
import { uiTexts } from "@/lib/texts/ui";
import { viewsTexts } from "@/lib/texts/views";

const texts = viewsTexts.dialog;

type ViewsDialogProps = {
  page: ViewPage;
  query: string;
  /** Asks for the name of a new view; else only the list. */
  saving: boolean;
  views: readonly SavedView[];
  onClose: () => void;
  returnFocus: () => void;
};

export function ViewsDialog({ page, query, saving, views, onClose, returnFocus }: ViewsDialogProps) {
  const toast = useToast();
  const list = useRef<HTMLHeadingElement>(null);
  const [renaming, setRenaming] = useState<string | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  function remove(view: SavedView) {
    const refused = deleteView(view);
    setFailure(refused);
    if (refused !== null) return;
    toast({ title: texts.deleted(view.name) });
    list.current?.focus();
  }

  return (
    <Dialog
      title={saving ? texts.saveTitle : texts.title}
      description={texts.description}
      onClose={onClose}
      returnFocus={returnFocus}
      footer={saving ? undefined : <Button onClick={onClose}>{uiTexts.actions.done}</Button>}
    >
      {saving ? (
        <NameForm
          label={texts.name}
          help={describeQuery(query)}
          name=""
          action={texts.save}
          onName={(name) => saveView({ page, name, query })}
          onDone={(name) => {
            toast({ title: texts.saved(name) });
            onClose();
          }}
          onCancel={onClose}
        />
      ) : (
        <>
          <h3 ref={list} tabIndex={-1} className="sr-only">
            {views.length === 0 ? texts.noneLeft : texts.yours}
          </h3>
          {failure && (
            <p role="alert" className="mb-2 text-danger text-sm">
              {failure}
            </p>
          )}
          {views.length === 0 && <p className="text-dim text-sm">{texts.none}</p>}
          <ul className="flex flex-col divide-y divide-line">
            {views.map((view) => (
              <li key={view.name} className="py-2 first:pt-0 last:pb-0">
                {renaming === view.name ? (
                  <NameForm
                    label={texts.newName(view.name)}
                    name={view.name}
                    action={texts.rename}
                    onName={(name) => renameView(view, name)}
                    onDone={(name) => {
                      toast({ title: texts.renamed(name) });
                      setRenaming(null);
                      list.current?.focus();
                    }}
                    onCancel={() => {
                      setRenaming(null);
                      list.current?.focus();
                    }}
                  />
                ) : (
                  <div className="flex items-center gap-1">
                    <div className="min-w-0 flex-1">
                      <p className="truncate font-medium text-sm">{view.name}</p>
                      <p className="truncate text-faint text-xs">{describeQuery(view.query)}</p>
                    </div>
                    <CopyButton text={linkTo(page, view.query)} what={texts.linkTo(view.name)} />
                    <button
                      type="button"
                      aria-label={texts.renameView(view.name)}
                      title={texts.rename}
                      onClick={() => setRenaming(view.name)}
                      className={buttonClass("ghost", "icon-sm")}
                    >
                      <Pencil className="size-3.5" aria-hidden="true" />
                    </button>
                    <button
                      type="button"
                      aria-label={texts.deleteView(view.name)}
                      title={texts.delete}
                      onClick={() => remove(view)}
                      className={buttonClass("ghost-danger", "icon-sm")}
                    >
                      <Trash2 className="size-3.5" aria-hidden="true" />
                    </button>
                  </div>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </Dialog>
  );
}

type NameFormProps = {
  label: string;
  help?: string;
  name: string;
  action: string;
  /** Null: done. Else why not. */
  onName: (name: string) => string | null;
  onDone: (name: string) => void;
  onCancel: () => void;
};

function NameForm({ label, help, name, action, onName, onDone, onCancel }: NameFormProps) {
  const [typed, setTyped] = useState(name);
  const [error, setError] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);

  function submit(event: FormEvent) {
    event.preventDefault();
    const refused = onName(typed);
    setError(refused);
    if (refused === null) onDone(typed.trim());
    else input.current?.focus();
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-3">
      <Field label={label} error={error} help={help}>
        {(control) => (
          <TextInput
            {...control}
            ref={input}
            value={typed}
            maxLength={longestName}
            autoComplete="off"
            autoFocus
            onChange={({ target }) => {
              setTyped(target.value);
              setError(null);
            }}
          />
        )}
      </Field>
      <span className="flex justify-end gap-2">
        <Button onClick={onCancel}>{uiTexts.actions.cancel}</Button>
        <Button type="submit" variant="primary">
          {action}
        </Button>
      </span>
    </form>
  );
}
