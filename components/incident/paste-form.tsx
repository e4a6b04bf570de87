"use client";

import clsx from "clsx";
import { FileText, Paperclip, ScanSearch, X } from "lucide-react";
import { type ClipboardEvent, type FormEvent, type KeyboardEvent, type Ref, useId, useRef } from "react";
import { formatBytes } from "@/components/audit/export-run";
import { scanLimits } from "@/components/incident/scan-run";
import { Button } from "@/components/ui/button";
import { controlClass } from "@/components/ui/field";
import { SubmitButton } from "@/components/ui/submit-button";
import { maxScanBytes } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.paste;

type PasteFormProps = {
  /** Not controlled: React would write what is typed into the document as well. */
  area: Ref<HTMLTextAreaElement>;
  files: readonly File[];
  onFiles: (files: readonly File[]) => void;
  /** Why it was not sent. */
  refusal: string | null;
  onInput: () => void;
  onScan: () => void;
};

/** Where the text comes in. It stays in the memory of this page. */
export function PasteForm({ area, files, onFiles, refusal, onInput, onScan }: PasteFormProps) {
  const id = useId();
  const chooser = useRef<HTMLInputElement>(null);

  function submit(event: FormEvent) {
    event.preventDefault();
    onScan();
  }

  function press(event: KeyboardEvent) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  }

  function paste(event: ClipboardEvent) {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    onFiles([...files, ...event.clipboardData.files]);
  }

  return (
    <form onSubmit={submit} noValidate className="rounded-lg border border-line bg-surface p-4">
      <label htmlFor={id} className="font-medium text-ink text-sm">
        {texts.label}
      </label>
      <textarea
        id={id}
        ref={area}
        rows={9}
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        translate="no"
        // Writing aids send what is typed to servers of theirs.
        data-gramm="false"
        data-enable-grammarly="false"
        aria-describedby={`${id}-help${refusal ? ` ${id}-refusal` : ""}`}
        aria-invalid={refusal ? true : undefined}
        placeholder={texts.placeholder}
        onInput={onInput}
        onKeyDown={press}
        onPaste={paste}
        className={clsx(controlClass, "mt-1.5 min-h-32 resize-y py-2 font-mono text-xs leading-5")}
      />
      {refusal && (
        <p id={`${id}-refusal`} role="alert" className="mt-1.5 text-danger text-xs">
          {refusal}
        </p>
      )}
      {files.length > 0 && <Files files={files} onFiles={onFiles} />}
      <div className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <input
          ref={chooser}
          type="file"
          multiple
          tabIndex={-1}
          aria-hidden="true"
          className="hidden"
          onChange={(event) => {
            onFiles([...files, ...(event.target.files ?? [])]);
            // The same file can be chosen again after it was taken away.
            event.target.value = "";
          }}
        />
        <Button onClick={() => chooser.current?.click()}>
          <Paperclip className="size-3.5 text-faint" aria-hidden="true" />
          {texts.choose}
        </Button>
        <p id={`${id}-help`} className="min-w-0 flex-1 basis-64 text-faint text-xs">
          {texts.help(scanLimits)}
        </p>
        <span className="ml-auto flex items-center gap-2.5">
          <kbd className="hidden font-sans text-faint text-xs lg:inline">{texts.keys}</kbd>
          <SubmitButton variant="primary">
            <ScanSearch className="size-4" aria-hidden="true" />
            {texts.scan}
          </SubmitButton>
        </span>
      </div>
    </form>
  );
}

function Files({ files, onFiles }: Pick<PasteFormProps, "files" | "onFiles">) {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return (
    <div className="mt-3">
      <p className={clsx("text-xs tabular-nums", size > maxScanBytes ? "text-danger" : "text-dim")}>
        {texts.files(files.length, formatBytes(size))}
      </p>
      <ul aria-label={texts.filesLabel} className="mt-1.5 flex flex-wrap gap-1.5">
        {files.map((file, index) => {
          const name = shownName(file.name, index);
          return (
            <li
              // biome-ignore lint/suspicious/noArrayIndexKey: two files may have the same name
              key={`${index} ${name}`}
              className="flex h-7 max-w-full items-center gap-1.5 rounded-md border pointer-coarse:h-10 border-line bg-sunken pl-2 text-xs"
            >
              <FileText className="size-3.5 shrink-0 text-faint" aria-hidden="true" />
              <span className="max-w-52 truncate">{name}</span>
              <span className="shrink-0 text-faint tabular-nums">{formatBytes(file.size)}</span>
              <button
                type="button"
                aria-label={texts.remove(name)}
                onClick={() => onFiles(files.filter((_, other) => other !== index))}
                className="flex size-6.5 items-center pointer-coarse:size-10 justify-center rounded-md text-faint hover:bg-hover hover:text-ink"
              >
                <X className="size-3.5" aria-hidden="true" />
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** People name files after what is in them. */
function shownName(name: string, index: number): string {
  return /[0-9a-f]{8}-?[0-9a-f]{4}/i.test(name) ? texts.nameless(index + 1) : name;
}
