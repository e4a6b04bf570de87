/** The command line: what it may say, and what it must not. */
import { parseArgs } from "node:util";
import { exits, Stop } from "./stop.ts";

export type Command =
  | { name: "help"; text: string }
  | { name: "scan"; files: string[]; direct: boolean; json: boolean; keyFile: string | null }
  | {
      name: "revoke";
      files: string[];
      direct: boolean;
      json: boolean;
      keyFile: string | null;
      siblings: boolean;
      reason: string;
      yes: boolean;
    }
  | {
      name: "report";
      /** Null in direct mode, where the case comes from stdin. */
      id: string | null;
      format: "md" | "json";
      output: string | null;
      keyFile: string | null;
    };

const common = `
  --direct           ask RingCX itself: no Tokendesk server, no database
  --json             one JSON object per line on stdout
  --key-file FILE    the API key, instead of TOKENDESK_API_KEY
  --help`;

const surroundings = `
Files are read here; what is found in them goes to the server, the rest stays. No file, or "-": stdin.
Progress goes to stderr, results to stdout. No token and no key is ever an argument: others see those.

Environment
  TOKENDESK_URL       the server, such as https://tokendesk.example.com
  TOKENDESK_API_KEY   an API key of it (Settings, API keys)
  RINGCX_HOST         with --direct: RingCX, default https://engage.ringcentral.com
  TOKEN_PREFIX_PATTERN   what may stand before the colon of a token, default [A-Za-z]{1,12}[0-9]{1,4}`;

const helps = {
  "": `Finds RingCX API tokens in any text, tells which are alive, and revokes them with proof.

Usage
  tokendesk scan   [files…|-] [options]
  tokendesk revoke [files…|-] --reason TEXT [--siblings] [--yes] [options]
  tokendesk report ID [--format md|json] [-o FILE] [options]
  tokendesk <command> --help

Options
${common.slice(1)}
${surroundings}

Exit codes
  0  nothing is alive, or everything is proven dead
  1  scan: a token is alive
  2  the command line is wrong
  3  something could not be checked, or is not proven dead
  4  the server, the network, or a permission
  130  interrupted`,
  scan: `Usage: tokendesk scan [files…|-] [options]

Looks up which tokens in a text are alive, whose they are and what they reach. Changes nothing.

Options
${common.slice(1)}
${surroundings}

Exit codes: 0 nothing is alive, 1 a token is alive, 2 usage, 3 something could not be checked, 4 failure.`,
  revoke: `Usage: tokendesk revoke [files…|-] --reason TEXT [--siblings] [--yes] [options]

Revokes every live token in a text and proves it. RingCX cannot bring a revoked token back. Against a server the API key
needs automatic revocation. What is proven dead is not done again: after an interruption, give the same text again.

Options
  --reason TEXT      why; it stands in the audit log and in the report
  --siblings         also every other token of the same users
  --yes              do not ask; without it a terminal is asked to type "revoke"
${common.slice(1)}
${surroundings}

Exit codes: 0 everything is proven dead, 2 usage, 3 something is not proven dead, 4 failure, 130 interrupted.`,
  report: `Usage: tokendesk report ID [--format md|json] [-o FILE] [--key-file FILE]
       tokendesk report --direct [--format md|json] [-o FILE] < lines

The report of an incident that this API key opened. With --direct, of what "revoke --direct --json" wrote.

Options
  --format md|json   default md
  -o, --output FILE  default stdout
  --direct           read the lines of a direct run from stdin
  --key-file FILE    the API key, instead of TOKENDESK_API_KEY
  --help

Exit codes: 0 written, 2 usage, 4 failure.`,
} as const;

const flags = {
  direct: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  "key-file": { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/**
 * @param holdsSecret whether a text looks like a token or a key
 * @throws {Stop} `usage`
 */
export function readCommand(given: readonly string[], holdsSecret: (text: string) => boolean): Command {
  // Before anything else, and without a word of what stood there.
  if (given.some((argument) => holdsSecret(argument) || /tdk_/i.test(argument))) {
    throw new Stop(
      exits.usage,
      "An argument looks like a token or an API key. Others on this machine can see arguments, and the shell may keep them: " +
        "nothing was done. Give tokens on stdin or in a file, and the key in TOKENDESK_API_KEY or a file. Treat what you typed as leaked.",
    );
  }
  const [name = "", ...args] = given;
  try {
    switch (name) {
      case "scan": {
        const { values, positionals: files } = parseArgs({ args, allowPositionals: true, options: flags });
        if (values.help) return { name: "help", text: helps.scan };
        return { name, files, ...shared(values) };
      }
      case "revoke": {
        const { values, positionals: files } = parseArgs({
          args,
          allowPositionals: true,
          options: {
            ...flags,
            siblings: { type: "boolean", default: false },
            reason: { type: "string" },
            yes: { type: "boolean", short: "y", default: false },
          },
        });
        if (values.help) return { name: "help", text: helps.revoke };
        const reason = values.reason?.trim() ?? "";
        if (reason === "" || reason.length > 500) {
          throw new Stop(exits.usage, "Say why with --reason, in at most 500 characters: it stands in the audit log.");
        }
        return { name, files, ...shared(values), siblings: values.siblings, reason, yes: values.yes };
      }
      case "report": {
        const { values, positionals } = parseArgs({
          args,
          allowPositionals: true,
          options: {
            direct: flags.direct,
            help: flags.help,
            "key-file": flags["key-file"],
            format: { type: "string", default: "md" },
            output: { type: "string", short: "o" },
          },
        });
        if (values.help) return { name: "help", text: helps.report };
        const { format, direct } = values;
        if (format !== "md" && format !== "json") throw new Stop(exits.usage, "--format is md or json.");
        const [id = null, ...more] = positionals;
        if (more.length > 0 || (id === null) !== direct) {
          throw new Stop(exits.usage, "Give the ID of one incident, or --direct with the lines of a run on stdin.");
        }
        if (id !== null && !/^[\w-]{1,64}$/.test(id)) throw new Stop(exits.usage, "That is not the ID of an incident.");
        return { name, id, format, output: values.output ?? null, keyFile: values["key-file"] ?? null };
      }
      case "help":
      case "--help":
      case "-h":
        return {
          name: "help",
          text: helps[args[0] === "scan" || args[0] === "revoke" || args[0] === "report" ? args[0] : ""],
        };
      default:
        throw new Stop(exits.usage, name === "" ? `Say what to do.\n\n${helps[""]}` : "There is no such command.");
    }
  } catch (error) {
    if (error instanceof Stop) throw error;
    // parseArgs says which option it does not know.
    const message = error instanceof Error ? (error.message.split(". To specify")[0] ?? "") : "";
    throw new Stop(exits.usage, `${message}${message.endsWith(".") ? "" : "."} See tokendesk ${name} --help.`);
  }
}

function shared(values: { direct: boolean; json: boolean; "key-file"?: string | undefined }) {
  return { direct: values.direct, json: values.json, keyFile: values["key-file"] ?? null };
}
