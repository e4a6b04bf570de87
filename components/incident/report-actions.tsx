"use client";

import { ClipboardCopy, FileJson, FileText, Printer } from "lucide-react";
import { useState } from "react";
import { saveFile } from "@/components/audit/export-run";
import { brokenOff, type Failure, openStream } from "@/components/http";
import { Button } from "@/components/ui/button";
import { useCopy } from "@/components/ui/copy-button";
import { FailureNote } from "@/components/ui/failure-note";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.report;

type Format = "md" | "json";
const formats: { format: Format; name: string; icon: typeof FileText }[] = [
  { format: "md", name: texts.markdown, icon: FileText },
  { format: "json", name: texts.json, icon: FileJson },
];

/** What can be done with a report. `summary`: a few plain lines, to which the page's address is added. */
export function ReportActions({ id, summary }: { id: string; summary: string }) {
  const copy = useCopy();
  const [pending, setPending] = useState<Format | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);

  async function download(format: Format) {
    setPending(format);
    setFailure(await save(id, format));
    setPending(null);
  }

  return (
    <div className="mb-5 print:hidden">
      <div className="flex flex-wrap gap-2">
        {formats.map(({ format, name, icon: Icon }) => (
          <Button key={format} pending={pending === format} onClick={() => download(format)}>
            {pending !== format && <Icon className="size-3.5 text-faint" aria-hidden="true" />}
            {name}
          </Button>
        ))}
        <Button onClick={() => window.print()}>
          <Printer className="size-3.5 text-faint" aria-hidden="true" />
          {texts.print}
        </Button>
        <Button onClick={() => copy(`${summary}\n${location.origin}${location.pathname}`, texts.theSummary)}>
          <ClipboardCopy className="size-3.5 text-faint" aria-hidden="true" />
          {texts.copySummary}
        </Button>
      </div>
      {failure && (
        <div className="mt-3">
          <FailureNote failure={failure} />
        </div>
      )}
    </div>
  );
}

/** Null: it is saved. A file that is not whole is not. */
async function save(id: string, format: Format): Promise<Failure | null> {
  const path = `/api/incidents/${encodeURIComponent(id)}/report?format=${format}`;
  const answer = await openStream(path, { method: "GET", signal: new AbortController().signal });
  if (!answer.ok) return answer.failure;
  try {
    const named = /filename=([\w.-]+)/.exec(answer.value.headers.get("content-disposition") ?? "");
    saveFile({ name: named?.[1] ?? `tokendesk-incident.${format}`, blob: await answer.value.blob() });
    return null;
  } catch (error) {
    return brokenOff(error);
  }
}
