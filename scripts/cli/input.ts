/** What the command reads: files, stdin, and the API key. */
import { readFileSync, statSync } from "node:fs";
import type { ScanSource } from "../../lib/incidents/scan.ts";
import { exits, Stop } from "./stop.ts";

const maxBytes = 256 * 1024 * 1024;
const tooMuch = `That is more than ${maxBytes / 1024 / 1024} MB at once: split it.`;

/** @throws {Stop} `usage`: a file cannot be read, or it is too much */
export async function readSources(files: readonly string[]): Promise<ScanSource[]> {
  const sources: ScanSource[] = [];
  let held = 0;
  for (const file of files.length === 0 ? ["-"] : files) {
    const content =
      file === "-" ? await readStdin("Paste the text, then press Ctrl-D.") : readFile(file, maxBytes - held);
    held += content.length;
    if (held > maxBytes) throw new Stop(exits.usage, tooMuch);
    sources.push({ name: file === "-" ? null : file, content });
  }
  return sources;
}

function readFile(file: string, room: number): Buffer {
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) throw new Stop(exits.usage, `${file} is a folder: name its files.`);
    if (stat.size > room) throw new Stop(exits.usage, tooMuch);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Stop) throw error;
    throw new Stop(
      exits.usage,
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"}).`,
    );
  }
}

/** All of stdin. `invitation`: told to a person at a terminal. */
export async function readStdin(invitation: string): Promise<Buffer> {
  if (process.stdin.isTTY) process.stderr.write(`${invitation}\n`);
  const chunks: Buffer[] = [];
  let held = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    held += chunk.length;
    if (held > maxBytes) throw new Stop(exits.usage, tooMuch);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws {Stop} `usage` */
export function readKey(file: string | null): string {
  const text = file === null ? (process.env.TOKENDESK_API_KEY ?? "") : readFile(file, 64 * 1024).toString("utf8");
  const key = text.trim();
  if (/^tdk_[\w-]{43}$/.test(key)) return key;
  throw new Stop(
    exits.usage,
    key === ""
      ? "There is no API key: set TOKENDESK_API_KEY, name a file with --key-file, or use --direct."
      : "What was given as the API key is none of Tokendesk's: they begin with tdk_.",
  );
}
