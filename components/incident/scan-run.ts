import { brokenOff, type Failure, failureOf, jsonLines, openStream } from "@/components/http";
import { foreignAnswer, scanLineSchema } from "@/components/incident/answers";
import { type Finding, maxScanBytes, maxScanFiles, type ScanResult } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.paste;

/** What is looked through. It stays in the memory of this tab. */
export type ScanInput = { text: string; files: readonly File[] };

export type ScanProgress =
  /** Bytes that were looked through; `total` 0: they are still on their way. */
  | { step: "matching"; done: number; total: number }
  | { step: "checking"; checked: number; total: number; etaMs: number };

type Run = {
  input: ScanInput;
  signal: AbortSignal;
  onProgress: (progress: ScanProgress) => void;
  /** All that was found; RingCX was not asked about them yet. */
  onFound: (findings: Finding[]) => void;
  /** One of them has been looked up. */
  onFinding: (finding: Finding) => void;
};

/** Sends the text and the files, and tells what comes back as it comes. */
export async function runScan({
  input,
  signal,
  onProgress,
  onFound,
  onFinding,
}: Run): Promise<{ result: ScanResult } | { failure: Failure }> {
  const answer = await openStream("/api/incidents/scan", { method: "POST", signal, ...bodyOf(input) });
  if (!answer.ok) return { failure: answer.failure };
  const foreign = foreignAnswer(answer.value);
  if (foreign) {
    await answer.value.body.cancel();
    return { failure: foreign };
  }
  try {
    for await (const value of jsonLines(answer.value.body)) {
      const line = scanLineSchema.safeParse(value).data;
      switch (line?.type) {
        case "matching":
          onProgress({ step: "matching", done: line.doneBytes, total: line.totalBytes });
          break;
        case "found":
          onFound(line.findings);
          onProgress({ step: "checking", checked: 0, total: line.findings.length, etaMs: line.etaMs });
          break;
        case "finding":
          onFinding(line.finding);
          onProgress({ step: "checking", checked: line.checked, total: line.total, etaMs: line.etaMs });
          break;
        case "waiting":
          onProgress({ step: "checking", checked: line.checked, total: line.total, etaMs: line.etaMs });
          break;
        case "result":
          return { result: line };
        case "failed":
          return { failure: failureOf(line) };
      }
    }
  } catch (error) {
    return { failure: brokenOff(error) };
  }
  return { failure: brokenOff(null) };
}

/** A form only where there are files: it would change the line breaks of the text. */
function bodyOf({ text, files }: ScanInput): { form: FormData } | { json: { text: string } } {
  if (files.length === 0) return { json: { text } };
  const form = new FormData();
  if (text !== "") form.append("text", text);
  for (const file of files) form.append("files", file, file.name);
  return { form };
}

const megabytes = maxScanBytes / 1024 / 1024;
export const scanLimits = texts.limits(maxScanFiles, megabytes);

/** Why a scan of this would be refused; null: it would not. */
export function tooMuch({ text, files }: ScanInput): string | null {
  if (files.length > maxScanFiles) {
    return texts.tooManyFiles(files.length, maxScanFiles);
  }
  const size = sizeOf({ text, files });
  if (size <= maxScanBytes) return null;
  return texts.tooLarge((size / 1024 / 1024).toFixed(1), megabytes);
}

/** In bytes, as it is sent. */
export function sizeOf({ text, files }: ScanInput): number {
  return new Blob([text]).size + files.reduce((sum, { size }) => sum + size, 0);
}
