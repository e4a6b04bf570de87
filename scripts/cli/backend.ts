/** What looks tokens up and revokes them: a Tokendesk server, or this process. Both tell the same lines. */
import type { IncidentReport, RevocationLine, ScanLine } from "../../lib/incidents/schema.ts";

/** `report`: at the end of a direct run, which no server remembers. */
export type Line = ScanLine | RevocationLine | { type: "report"; report: IncidentReport };

export type Wish = {
  /** A secret each; once for every place that it was found at. */
  findings: { value: string; source?: string; line: number }[];
  revoke: boolean;
  siblings: boolean;
  reason?: string;
};

export type Backend = {
  /** @throws {Stop} `failure` */
  lines(wish: Wish): AsyncGenerator<Line>;
  /** What goes on when this process ends in the midst of a revocation, as a sentence. */
  afterInterruption: string;
};

/** A stream of NDJSON, line by line, however it is cut. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stream as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line) as Line;
  }
}
