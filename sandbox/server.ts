import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tooManyRequests } from "./authentication.ts";
import { control, type Sandbox } from "./control.ts";
import { Faults, send, sendFaulty } from "./faults.ts";
import { type Answer, BodyTooLarge, type Call, failure, type Identity, json, readBody, text } from "./http.ts";
import { Journal } from "./journal.ts";
import { decodePath, findRoute, identify, maskPath } from "./operations.ts";
import { DEFAULT_SETTINGS, SecretLedger, type Settings } from "./platform.ts";
import { seededState } from "./state.ts";

/** How to start a sandbox. All is optional; `port` 0 takes any free one. */
export type SandboxOptions = Partial<Settings> & {
  port?: number;
  host?: string;
  /** The same seed gives the same API tokens at every start. */
  seed?: string;
  /** Told about a defect of the sandbox itself, never with a URL or a secret. */
  onError?: (error: unknown) => void;
};

/** A running sandbox. `close` ends every connection, hanging ones included. */
export type RunningSandbox = { url: string; port: number; close: () => Promise<void> };

/** The vendor asks for a stable `name/version`. */
const USER_AGENT = /^[^\s/]+\/\S+/;

const ANONYMOUS: Identity = { auth: "none", user: null, credential: null, refusal: null };

async function answerCall(sandbox: Sandbox, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = "/", search = ""] = splitTarget(request.url ?? "/");
  const method = request.method ?? "GET";
  const body = await readBody(request);
  const query = new URLSearchParams(search);
  if (path.startsWith("/__sandbox/")) {
    const { status, value } = control(sandbox, method, path.slice("/__sandbox/".length), query, body);
    send(json(value, status), response);
    return;
  }

  const found = findRoute(method, path);
  const route = typeof found === "string" ? null : found.route;
  const params = typeof found === "string" ? [] : found.params.map(decodePath);
  const isForm = (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  const call: Call = {
    at: sandbox.now(),
    method,
    path,
    params: params.map((param) => param ?? ""),
    query,
    form: new URLSearchParams(isForm ? body : ""),
    body,
    headers: request.headers,
    address: request.socket.remoteAddress ?? "",
  };
  const identity = route === null ? ANONYMOUS : identify(route.surface, call, sandbox.state);
  const username = (identity.user ?? route?.subject(call, sandbox.state))?.username ?? null;
  const operation = route?.operation ?? "unknown";
  const { delay, fault } = sandbox.faults.take(operation, identity.auth, username, route?.surface ?? null);
  const kinds = [...delay, ...(fault === null ? [] : [fault])].map(({ kind }) => kind);
  const entry = sandbox.journal.begin({
    at: call.at,
    operation,
    method,
    path: maskPath(path),
    username,
    auth: identity.auth,
    ...(kinds.length === 0 ? {} : { fault: kinds.join("+") }),
    ...(route?.mutates ? { effect: false } : {}),
  });
  const { state } = sandbox;
  for (const latency of delay) await sandbox.faults.wait(latency);
  // Back to the seed meanwhile: what was asked of the platform of before is nothing to this one.
  if (sandbox.state !== state) {
    request.socket.destroy();
    return;
  }

  const produce = (): Answer => {
    if (!USER_AGENT.test(request.headers["user-agent"] ?? "")) return text("User-Agent name/version is required", 400);
    if (typeof found === "string" || route === null) {
      return found === "unknown method"
        ? failure(call, 405, "method.not.allowed.exception", "Request method not supported")
        : failure(call, 404, "not.found.exception", "Resource not found");
    }
    if (params.includes(null)) return failure(call, 400, "bad.request.exception", "Malformed percent-encoding");
    // A latency has passed since the call arrived: the credential may have died meanwhile.
    const now = delay.length === 0 ? identity : identify(route.surface, call, state);
    if (route.surface === "voice" || (route.surface === "portal" && route.operation !== "legacy.login")) {
      const caller = now.user === null ? `address ${call.address}` : now.user.username;
      const { settings } = sandbox;
      const wait = state.platform.adminCalls.refuse(`${route.surface} ${caller}`, settings.rateLimit, sandbox.now());
      if (wait !== null) return tooManyRequests(wait, settings);
    }
    const answer = route.answer(call, state, now);
    if (answer.effect === true) entry.effect = true;
    return answer;
  };
  entry.status = fault === null ? send(produce(), response) : sendFaulty(fault, call, produce, request, response);
}

function splitTarget(target: string): [string, string] {
  const mark = target.indexOf("?");
  return mark === -1 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
}

/** Starts a sandbox in this process. Rejects when the address is taken. */
export async function startSandbox(options: SandboxOptions = {}): Promise<RunningSandbox> {
  const { port = 0, host = "127.0.0.1", seed = "ringcx-sandbox", onError, ...chosen } = options;
  const initial: Settings = { ...DEFAULT_SETTINGS, ...chosen };
  const settings: Settings = { ...initial };
  const ledger = new SecretLedger();
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const sandbox: Sandbox = {
    state: seededState(settings, seed, ledger, now),
    ledger,
    journal: new Journal(),
    faults: new Faults(),
    settings,
    now,
    advance: (milliseconds) => {
      ahead += milliseconds;
    },
    reset: () => {
      ahead = 0;
      Object.assign(settings, initial);
      sandbox.state = seededState(settings, seed, ledger, now);
      sandbox.journal.clear();
      sandbox.faults.clear();
    },
  };

  const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    answerCall(sandbox, request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return response.destroy();
      if (error instanceof BodyTooLarge) return send(text("Payload Too Large", 413), response);
      if (!request.complete) return response.destroy();
      onError?.(error);
      return send(text("Sandbox defect", 500), response);
    });
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
