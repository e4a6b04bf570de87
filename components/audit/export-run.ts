import { type Answer, brokenOff, openStream, pieces } from "@/components/http";

export const exportFormats = { jsonl: "JSON Lines", csv: "CSV" } as const;
export type ExportFormat = keyof typeof exportFormats;

/** `estimate`: at most so many events come; null: not known. */
export type ExportProgress = { events: number; bytes: number; estimate: number | null };

export type Exported = { name: string; blob: Blob; events: number };

type Run = {
  format: ExportFormat;
  /** The filters, as parameters. */
  filter: [string, string][];
  signal: AbortSignal;
  onProgress: (progress: ExportProgress) => void;
};

/** What is gathered before it goes into a Blob, which the browser may keep on disk. */
const heldBytes = 4 * 1024 * 1024;

/** Downloads the events of a filter. What was cut short is a failure: half a log must not look like one. */
export async function runExport({ format, filter, signal, onProgress }: Run): Promise<Answer<Exported>> {
  const parameters = new URLSearchParams([["format", format], ...filter]);
  const answer = await openStream(`/api/audit/export?${parameters}`, { method: "GET", signal });
  if (!answer.ok) return answer;
  const { headers, body } = answer.value;
  const type = headers.get("content-type") ?? "";
  const said = headers.get("x-total-estimate");
  const estimate = said !== null && /^\d+$/.test(said) ? Number(said) : null;
  const counter = new EventCounter(format);
  const parts: Blob[] = [];
  let held: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  let bytes = 0;
  try {
    for await (const piece of pieces(body)) {
      counter.add(piece);
      held.push(piece);
      size += piece.length;
      bytes += piece.length;
      if (size >= heldBytes) {
        parts.push(new Blob(held));
        held = [];
        size = 0;
      }
      onProgress({ events: counter.events, bytes, estimate });
    }
  } catch (error) {
    return { ok: false, failure: brokenOff(error) };
  }
  const name = /filename="?([\w.-]+)"?/.exec(headers.get("content-disposition") ?? "")?.[1];
  return {
    ok: true,
    value: {
      name: name ?? `tokendesk-audit.${format}`,
      blob: new Blob([...parts, ...held], { type }),
      events: counter.events,
    },
  };
}

const newline = 0x0a;
const quote = 0x22;

/** Counts the events of an export while its bytes pass by. A line break inside quotes belongs to a cell of the CSV. */
export class EventCounter {
  readonly #csv: boolean;
  #lines = 0;
  #quoted = false;

  constructor(format: ExportFormat) {
    this.#csv = format === "csv";
  }

  /** Without the line of the headings. */
  get events(): number {
    return this.#csv ? Math.max(0, this.#lines - 1) : this.#lines;
  }

  add(piece: Uint8Array): void {
    for (const byte of piece) {
      if (byte === newline && !this.#quoted) this.#lines += 1;
      else if (byte === quote && this.#csv) this.#quoted = !this.#quoted;
    }
  }
}

/** Hands a file to the browser's downloads. */
export function saveFile({ name, blob }: Pick<Exported, "name" | "blob">): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download starts a moment later, and holds the file from then on.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** `830 B`, `14.2 KB`, `1.3 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = bytes / 1_000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}
