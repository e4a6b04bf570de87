import { type Fault, type Faults, InvalidControlRequest } from "./faults.ts";
import type { Journal } from "./journal.ts";
import type { SecretLedger, Settings } from "./platform.ts";
import type { SandboxUser } from "./seed.ts";
import type { State } from "./state.ts";

/** One running sandbox: what the control API may look at and turn. */
export type Sandbox = {
  state: State;
  readonly ledger: SecretLedger;
  readonly journal: Journal;
  readonly faults: Faults;
  readonly settings: Settings;
  now: () => number;
  advance: (milliseconds: number) => void;
  reset: () => void;
};

type ControlAnswer = { status: number; value: unknown };

const ok = (value: unknown, status = 200): ControlAnswer => ({ status, value });
const done = ok({ ok: true });

function userNamed(sandbox: Sandbox, username: unknown): SandboxUser {
  const user = typeof username === "string" ? sandbox.state.platform.users.get(username) : undefined;
  if (user === undefined) throw new InvalidControlRequest("username must be one of GET /__sandbox/users");
  return user;
}

/** Takes over the settings that `changes` names. Throws InvalidControlRequest for an unknown name or a wrong type. */
function configure(settings: Settings, changes: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(changes)) {
    const present = (settings as Record<string, unknown>)[name];
    if (present === undefined) throw new InvalidControlRequest(`unknown setting ${name}`);
    const fits = Array.isArray(present)
      ? Array.isArray(value) && value.every((entry) => typeof entry === "string")
      : typeof value === typeof present && (typeof value !== "number" || value >= 0);
    if (!fits) throw new InvalidControlRequest(`${name} must be like ${JSON.stringify(present)}`);
  }
  Object.assign(settings, changes);
}

function userRow(sandbox: Sandbox, user: SandboxUser) {
  return { ...user, tokens: sandbox.state.platform.tokenCount(user) };
}

type Handler = (sandbox: Sandbox, input: Record<string, unknown>, query: URLSearchParams) => ControlAnswer;

const HANDLERS: Record<string, Handler> = {
  "POST faults": ({ faults }, input) => ok({ fault: faults.add(input) satisfies Fault }, 201),
  "GET faults": ({ faults }) => ok({ faults: faults.list() }),
  "DELETE faults": ({ faults }) => {
    faults.clear();
    return done;
  },
  "GET journal": ({ journal }, _, query) => ok({ entries: journal.since(Number(query.get("since") ?? 0)) }),
  "DELETE journal": ({ journal }) => {
    journal.clear();
    return done;
  },
  "GET stats": ({ journal, state }) => {
    const users = [...state.platform.users.values()];
    const tokens = Object.fromEntries(users.map((user) => [user.username, state.platform.tokenCount(user)]));
    return ok({ operations: journal.counts(), tokens });
  },
  "POST reset": (sandbox) => {
    sandbox.reset();
    return done;
  },
  "GET config": ({ settings }) => ok(settings),
  "POST config": ({ settings }, input) => {
    configure(settings, input);
    return ok(settings);
  },
  "POST clock": (sandbox, { advanceSeconds }) => {
    if (typeof advanceSeconds !== "number" || !(advanceSeconds >= 0)) {
      throw new InvalidControlRequest("advanceSeconds must be a number of seconds, not negative");
    }
    sandbox.advance(advanceSeconds * 1000);
    return ok({ now: sandbox.now() });
  },
  "POST expire-access-tokens": ({ state }) => {
    state.sessions.expireAccessTokens();
    return done;
  },
  "POST end-sessions": (sandbox, { username }) => {
    const user = username === undefined ? null : userNamed(sandbox, username);
    return ok({ refreshTokens: sandbox.state.sessions.killRefreshTokens(user?.username ?? null) });
  },
  "POST end-portal-sessions": (sandbox, { username }) => {
    const user = username === undefined ? null : userNamed(sandbox, username);
    return ok({ authTokens: sandbox.state.sessions.killPortalSessions(user?.username ?? null) });
  },
  "POST expire-codes": ({ state }) => {
    state.ringex.expireCodes();
    return done;
  },
  "GET tokens": (sandbox, _, query) => {
    const user = userNamed(sandbox, query.get("username"));
    return ok({ tokens: sandbox.state.platform.tokensOf(user) });
  },
  "POST tokens": (sandbox, { username }) =>
    ok({ value: sandbox.state.platform.createToken(userNamed(sandbox, username)) }, 201),
  "DELETE tokens": ({ state }, { value }) => {
    if (typeof value !== "string") throw new InvalidControlRequest("value must be a token");
    return ok({ deleted: state.platform.deleteToken(value, state.platform.ownerOf(value)) });
  },
  "GET secrets": ({ ledger }) => ok(ledger),
  "GET users": (sandbox) =>
    ok({ users: [...sandbox.state.platform.users.values()].map((user) => userRow(sandbox, user)) }),
  "POST users": (sandbox, { username, enabled }) => {
    const user = userNamed(sandbox, username);
    if (typeof enabled !== "boolean") throw new InvalidControlRequest("enabled must be true or false");
    user.enabled = enabled;
    return ok(userRow(sandbox, user));
  },
};

/** Answers one call of the control API; `path` is what follows `/__sandbox/`. Malformed input is 400 `{error}`. */
export function control(
  sandbox: Sandbox,
  method: string,
  path: string,
  query: URLSearchParams,
  body: string,
): ControlAnswer {
  const handler = Object.hasOwn(HANDLERS, `${method} ${path}`) ? HANDLERS[`${method} ${path}`] : undefined;
  if (handler === undefined) return ok({ error: `no ${method} /__sandbox/${path}` }, 404);
  try {
    const input: unknown = body === "" ? {} : JSON.parse(body);
    if (typeof input !== "object" || input === null || Array.isArray(input)) {
      throw new InvalidControlRequest("the body must be a JSON object");
    }
    return handler(sandbox, input as Record<string, unknown>, query);
  } catch (error) {
    if (error instanceof InvalidControlRequest || error instanceof SyntaxError) {
      return ok({ error: error.message }, 400);
    }
    throw error;
  }
}
