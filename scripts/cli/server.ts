/** A running Tokendesk, by its inbound API. */
import { type Backend, linesOf } from "./backend.ts";
import { readKey } from "./input.ts";
import { exits, Stop } from "./stop.ts";

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** @throws {Stop} `usage` */
function address(): URL {
  const given = process.env.TOKENDESK_URL ?? "";
  if (given === "") {
    throw new Stop(exits.usage, "Set TOKENDESK_URL to the address of your Tokendesk, or use --direct.");
  }
  const url = URL.canParse(given) ? new URL(given) : null;
  const safe = url?.protocol === "https:" || (url?.protocol === "http:" && loopback.has(url.hostname));
  if (!url || !safe || url.username !== "" || url.password !== "") {
    throw new Stop(
      exits.usage,
      "TOKENDESK_URL must be an https address without a password (http on this machine only).",
    );
  }
  return new URL(url.pathname.replace(/\/*$/, "/"), url.origin);
}

/** @throws {Stop} `usage` */
export function serverBackend(
  keyFile: string | null,
): Backend & { report(id: string, format: string): Promise<string> } {
  const base = address();
  const key = readKey(keyFile);

  async function send(path: string, init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, base), {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${key}`, "user-agent": "tokendesk-cli" },
        redirect: "manual",
      });
    } catch {
      throw new Stop(exits.failure, `Tokendesk at ${base.host} cannot be reached.`);
    }
    if (response.ok) return response;
    throw new Stop(exits.failure, await refusal(response, base.host));
  }

  return {
    afterInterruption: "The server goes on with what it has begun.",
    async *lines(wish) {
      const response = await send("api/incidents/report", {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/x-ndjson" },
        body: JSON.stringify(wish),
      });
      try {
        if (response.body) yield* linesOf(response.body);
      } catch {
        throw new Stop(exits.failure, "The connection to Tokendesk broke before the end. Run the same command again.");
      }
    },
    async report(id, format) {
      return (await send(`api/incidents/${encodeURIComponent(id)}/report?format=${format}`)).text();
    },
  };
}

/** A sentence of what the server said, if it was Tokendesk that spoke. */
async function refusal(response: Response, host: string): Promise<string> {
  const type = response.headers.get("content-type") ?? "";
  const problem = type.startsWith("application/problem+json")
    ? ((await response.json().catch(() => null)) as {
        detail?: unknown;
        retryAfter?: unknown;
        requestId?: unknown;
      } | null)
    : null;
  if (typeof problem?.detail !== "string") {
    return `Something at ${host} answered that is no Tokendesk with this API (status ${response.status}).`;
  }
  const wait = typeof problem.retryAfter === "number" ? ` Try again in ${problem.retryAfter} s.` : "";
  return `${problem.detail}${wait} (status ${response.status}, request ${String(problem.requestId)})`;
}
