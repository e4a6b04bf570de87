import "server-only";
import { TokendeskError } from "@/lib/errors";
import type { ScanSource } from "@/lib/incidents/scan";
import { maxScanBytes, maxScanFiles, scanSchema } from "@/lib/incidents/schema";
import { holdsSecret } from "@/lib/tokens/schema";

/**
 * What a request brings to be scanned: `{text}` as JSON, or a form with `text` and any number of `files`. In memory only.
 * @throws {TokendeskError} `invalid_input`, `payload_too_large`
 */
export async function readSources(contentType: string, body: Buffer): Promise<ScanSource[]> {
  const sources = /^multipart\/form-data\s*;/i.test(contentType)
    ? await formSources(contentType, body)
    : /^application\/json\s*(;|$)/i.test(contentType)
      ? jsonSources(body)
      : refuse("Send the text as application/json or multipart/form-data.");
  const bytes = sources.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  if (bytes > maxScanBytes) {
    const limit = maxScanBytes / 1024 / 1024;
    throw new TokendeskError("payload_too_large", `Text and files together are larger than ${limit} MB.`);
  }
  if (bytes === 0) refuse("There is nothing to scan: give a text or a file.");
  return sources;
}

function jsonSources(body: Buffer): ScanSource[] {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return refuse("The body is not valid JSON.");
  }
  const parsed = scanSchema.safeParse(value);
  // zod's words could repeat a name, and a name could be a token.
  if (!parsed.success) return refuse("The body must be an object with one member, `text`, a text.");
  return [{ name: null, content: parsed.data.text }];
}

async function formSources(contentType: string, body: Buffer): Promise<ScanSource[]> {
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": contentType } })
    .formData()
    .catch(() => refuse("The form cannot be read."));
  const names = [...new Set(form.keys())].filter((name) => name !== "text" && name !== "files");
  if (names.length > 0) refuse("The form has a field besides `text` and `files`.");
  const texts = form.getAll("text");
  const files = form.getAll("files");
  if (texts.length > 1 || texts.some((text) => typeof text !== "string")) refuse("`text` must be one text.");
  if (files.length > maxScanFiles) refuse(`More than ${maxScanFiles} files at once.`);
  const sources: ScanSource[] = texts.flatMap((text) =>
    typeof text === "string" && text !== "" ? [{ name: null, content: text }] : [],
  );
  for (const [index, file] of files.entries()) {
    if (typeof file === "string") refuse("`files` must be files.");
    else sources.push({ name: fileName(file.name, index), content: new Uint8Array(await file.arrayBuffer()) });
  }
  return sources;
}

/** As it may be shown and kept: people name files after what is in them. */
function fileName(given: string, index: number): string {
  const base = given.split(/[/\\]/).at(-1) ?? "";
  const plain = base
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "")
    .trim()
    .slice(0, 120);
  return plain === "" || holdsSecret(plain) || /[0-9a-f]{8}-[0-9a-f]{4}-/i.test(plain) ? `file ${index + 1}` : plain;
}

function refuse(detail: string): never {
  throw new TokendeskError("invalid_input", detail);
}
