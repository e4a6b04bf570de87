"use client";

import { ChevronDown, Download } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import {
  type Exported,
  type ExportFormat,
  type ExportProgress,
  exportFormats,
  formatBytes,
  runExport,
  saveFile,
} from "@/components/audit/export-run";
import { ProgressBar } from "@/components/audit/progress-bar";
import type { Failure } from "@/components/http";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { Menu, MenuItem } from "@/components/ui/menu";
import { RichText } from "@/components/ui/rich-text";
import { auditTexts } from "@/lib/texts/audit";
import { uiTexts } from "@/lib/texts/ui";

const texts = auditTexts.export;

const none: ExportProgress = { events: 0, bytes: 0, estimate: null };

type State =
  | { step: "running"; progress: ExportProgress }
  | { step: "saved"; file: Exported }
  | { step: "stopped" }
  | { step: "failed"; failure: Failure };

/** Downloads what the filters show, whole and oldest first. */
export function ExportMenu({ filter }: { filter: [string, string][] }) {
  const trigger = useRef<HTMLButtonElement>(null);
  const chosen = useRef<ExportFormat | null>(null);
  const running = useRef<AbortController>(undefined);
  const [run, setRun] = useState<{ format: ExportFormat; state: State } | null>(null);

  useEffect(() => () => running.current?.abort(), []);

  async function start(format: ExportFormat) {
    const controller = new AbortController();
    running.current = controller;
    const show = (state: State) => setRun((before) => (before === null ? null : { format, state }));
    setRun({ format, state: { step: "running", progress: none } });
    let shownAt = 0;
    const answer = await runExport({
      format,
      filter,
      signal: controller.signal,
      onProgress: (progress) => {
        if (performance.now() - shownAt < 100) return;
        shownAt = performance.now();
        show({ step: "running", progress });
      },
    });
    if (controller.signal.aborted) return show({ step: "stopped" });
    if (!answer.ok) return show({ step: "failed", failure: answer.failure });
    saveFile(answer.value);
    show({ step: "saved", file: answer.value });
  }

  function close() {
    running.current?.abort();
    setRun(null);
  }

  return (
    <>
      <Menu
        trigger={
          <Button ref={trigger} aria-label={texts.button}>
            <Download className="size-3.5 text-faint" aria-hidden="true" />
            <span className="max-sm:hidden">{texts.button}</span>
            <ChevronDown className="size-3.5 text-faint max-sm:hidden" aria-hidden="true" />
          </Button>
        }
        onCloseAutoFocus={(event) => {
          if (chosen.current === null) return;
          // The dialog opens once the menu is gone, from its trigger: there the focus comes back to.
          event.preventDefault();
          trigger.current?.focus();
          void start(chosen.current);
          chosen.current = null;
        }}
      >
        {(["jsonl", "csv"] as const).map((format) => (
          <MenuItem
            key={format}
            onSelect={() => {
              chosen.current = format;
            }}
          >
            {exportFormats[format]}
            <span className="ml-auto pl-6 font-mono text-faint text-xs">.{format}</span>
          </MenuItem>
        ))}
      </Menu>
      {run && (
        <ExportDialog
          format={run.format}
          filtered={filter.length > 0}
          state={run.state}
          onStop={() => running.current?.abort()}
          onAgain={() => start(run.format)}
          onClose={close}
          returnFocus={() => trigger.current?.focus()}
        />
      )}
    </>
  );
}

type ExportDialogProps = {
  format: ExportFormat;
  filtered: boolean;
  state: State;
  onStop: () => void;
  onAgain: () => void;
  onClose: () => void;
  returnFocus: () => void;
};

function ExportDialog({ format, filtered, state, onStop, onAgain, onClose, returnFocus }: ExportDialogProps) {
  const busy = state.step === "running";
  return (
    <Dialog
      title={texts.title}
      description={texts.description(filtered, exportFormats[format])}
      onClose={onClose}
      sticky={busy}
      returnFocus={returnFocus}
      footer={
        busy ? (
          <Button key="stop" ref={focusOnMount} onClick={onStop}>
            {uiTexts.actions.cancel}
          </Button>
        ) : (
          <>
            {state.step !== "saved" && <Button onClick={onAgain}>{texts.startAgain}</Button>}
            <Button key="done" ref={focusOnMount} variant="primary" onClick={onClose}>
              {uiTexts.actions.done}
            </Button>
          </>
        )
      }
    >
      {state.step === "running" && <Progress progress={state.progress} />}
      {state.step === "saved" && (
        <Callout tone="good" role="status" title={texts.saved(state.file.events)}>
          <p className="break-words">
            <RichText
              text={texts.savedAs}
              slots={{
                name: <span className="font-mono text-xs">{state.file.name}</span>,
                size: formatBytes(state.file.blob.size),
              }}
            />
          </p>
        </Callout>
      )}
      {state.step === "stopped" && (
        <Callout tone="info" role="status" title={texts.cancelled}>
          <p>{texts.nothingSaved}</p>
        </Callout>
      )}
      {state.step === "failed" && (
        <div className="flex flex-col gap-2">
          <FailureNote failure={state.failure} />
          <p className="text-dim text-sm">{texts.notHalf}</p>
        </div>
      )}
    </Dialog>
  );
}

function Progress({ progress: { events, bytes, estimate } }: { progress: ExportProgress }) {
  return (
    <div>
      <ProgressBar label={texts.progress} value={events} max={estimate} />
      <p className="mt-1.5 flex justify-between gap-4 text-dim text-sm tabular-nums">
        <span>{texts.counted(events, estimate)}</span>
        <span>{formatBytes(bytes)}</span>
      </p>
    </div>
  );
}
