"use client";

import { ClipboardCopy, FileJson, FileText, Printer } from "lucide-react";
import { useState } from "react";
import { saveFile } from "@/components/audit/export-run";
import { brokenOff, type Failure, openStream } from "@/components/http";
import { Button } from "@/components/ui/button";
import { copyText } from "@/components/ui/clipboard";
import { FailureNote } from "@/components/ui/failure-note";
import { useToast } from "@/components/ui/toast";

type Format = "md" | "json";
const formats: { format: Format; name: string; icon: typeof FileText }[] = [
  { format: "md", name: "Download Markdown", icon: FileText },
  { format: "json", name: "Download JSON", icon: FileJson },
];

/** What can be done with a report. `summary`: a few plain lines, to which the page's address is added. */
export function ReportActions({ id, summary }: { id: string; summary: string }) {
  const toast = useToast();
  const [pending, setPending] = useState<Format | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);

  async function download(format: Format) {
    setPending(format);
    setFailure(await save(id, format));
    setPending(null);
  }

  async function copySummary() {
    const done = await copyText(`${summary}\n${location.origin}${location.pathname}`);
    toast(
      done
        ? { title: "Copied the summary" }
        : { title: "Could not copy the summary", detail: "The browser refused.", tone: "danger" },
    );
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
          Print
        </Button>
        <Button onClick={copySummary}>
          <ClipboardCopy className="size-3.5 text-faint" aria-hidden="true" />
          Copy summary
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
