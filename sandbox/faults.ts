import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, HTML_TYPE, html, type Identity, JSON_TYPE, text, unauthorized } from "./http.ts";
import { OPERATIONS, type Operation, SURFACES, type Surface } from "./operations.ts";

/**
 * The kinds of fault, and whether the call still takes effect: `optional` kinds do when the fault says `effect: true`.
 */
const KINDS = {
  latency: "always",
  hang: "optional",
  resetBefore: "never",
  resetAfter: "always",
  cutBody: "always",
  html502: "optional",
  html503: "optional",
  html504: "optional",
  http429: "optional",
  false200: "never",
  wrongContentType: "always",
  quotedToken: "always",
  emptyBody: "always",
  hugeBody: "optional",
  malformedJson: "always",
  status: "optional",
  redirect: "optional",
  jwtExpired: "never",
  slowBody: "always",
  unauthorized: "optional",
} as const;

export type FaultKind = keyof typeof KINDS;

/** A fault as it stands: `count` and `skip` are what is left; `count` -1 is for ever. */
export type Fault = {
  id: number;
  operation: Operation | "*";
  kind: FaultKind;
  count: number;
  skip: number;
  username?: string;
  auth?: Identity["auth"];
  /** Only there: `portal` leaves the same operations of the voice API alone. */
  surface?: Surface;
  effect?: boolean;
  /** latency: how long before the effect, at most until the faults are cleared; slowBody: between two bytes (500). */
  ms?: number;
  /** hugeBody: how much to send (50 MB). */
  bytes?: number;
  /** status: the status (500); redirect: the status (302). */
  status?: number;
  body?: string;
  contentType?: string;
  /** redirect: where to. */
  location?: string;
  /** http429: seconds, or an HTTP date. */
  retryAfter?: number | string;
};

/** The control API's refusal of a malformed request; its message says what was wrong. */
export class InvalidControlRequest extends Error {}

const FIELDS: Record<Exclude<keyof Fault, "id">, string> = {
  operation: "string",
  kind: "string",
  count: "number",
  skip: "number",
  username: "string",
  auth: "string",
  surface: "string",
  effect: "boolean",
  ms: "number",
  bytes: "number",
  status: "number",
  body: "string",
  contentType: "string",
  location: "string",
  retryAfter: "number or string",
};

function checked(input: Record<string, unknown>): Omit<Fault, "id"> {
  for (const [name, value] of Object.entries(input)) {
    const type = (FIELDS as Record<string, string | undefined>)[name];
    if (type === undefined) throw new InvalidControlRequest(`unknown field ${name}`);
    if (!type.split(" or ").includes(typeof value)) throw new InvalidControlRequest(`${name} must be a ${type}`);
  }
  const fault = { count: 1, skip: 0, ...input } as Omit<Fault, "id">;
  if (fault.operation !== "*" && !OPERATIONS.includes(fault.operation)) {
    throw new InvalidControlRequest(`operation must be * or one of ${OPERATIONS.join(", ")}`);
  }
  if (!Object.hasOwn(KINDS, fault.kind ?? "")) {
    throw new InvalidControlRequest(`kind must be one of ${Object.keys(KINDS).join(", ")}`);
  }
  if (!Number.isInteger(fault.count) || fault.count < -1 || fault.count === 0) {
    throw new InvalidControlRequest("count must be a positive integer, or -1 for ever");
  }
  if (!Number.isInteger(fault.skip) || fault.skip < 0) throw new InvalidControlRequest("skip must not be negative");
  if (fault.auth !== undefined && !["bearer", "x-auth-token", "none"].includes(fault.auth)) {
    throw new InvalidControlRequest("auth must be bearer, x-auth-token or none");
  }
  if (fault.surface !== undefined && !SURFACES.includes(fault.surface)) {
    throw new InvalidControlRequest(`surface must be one of ${SURFACES.join(", ")}`);
  }
  const rule = KINDS[fault.kind];
  if (fault.effect !== undefined && rule !== "optional" && fault.effect !== (rule === "always")) {
    throw new InvalidControlRequest(`${fault.kind} ${rule} takes effect`);
  }
  if (fault.kind === "redirect" && fault.location === undefined) {
    throw new InvalidControlRequest("redirect needs a location");
  }
  if (fault.kind === "latency" && fault.ms === undefined) throw new InvalidControlRequest("latency needs ms");
  return fault;
}

/** The faults that are waiting for their calls, and the calls that wait in a latency. */
export class Faults {
  #waiting: Fault[] = [];
  #cleared = new AbortController();
  #id = 0;

  /** Throws InvalidControlRequest. */
  add(input: Record<string, unknown>): Fault {
    const fault = checked(input);
    this.#id += 1;
    const added = { id: this.#id, ...fault };
    this.#waiting.push(added);
    return { ...added };
  }

  list(): Fault[] {
    return this.#waiting.map((fault) => ({ ...fault }));
  }

  clear(): void {
    this.#waiting = [];
    this.#cleared.abort();
    this.#cleared = new AbortController();
  }

  /** Until a latency has passed, or the faults are cleared. */
  async wait(latency: Fault): Promise<void> {
    await sleep(latency.ms ?? 0, undefined, { signal: this.#cleared.signal }).catch(() => {});
  }

  /**
   * The faults for one call: every latency that matches, and the first other one. A fault counts down its `skip` at each
   * call that matches it, and its `count` at each call that it bends.
   */
  take(
    operation: Operation,
    auth: Identity["auth"],
    username: string | null,
    surface: Surface | null,
  ): { delay: Fault[]; fault: Fault | null } {
    const delay: Fault[] = [];
    let chosen: Fault | null = null;
    for (const fault of this.#waiting) {
      if (fault.operation !== "*" && fault.operation !== operation) continue;
      if (fault.auth !== undefined && fault.auth !== auth) continue;
      if (fault.surface !== undefined && fault.surface !== surface) continue;
      if (fault.username !== undefined && fault.username !== username) continue;
      if (fault.skip > 0) {
        fault.skip -= 1;
        continue;
      }
      if (fault.kind === "latency") delay.push(fault);
      else if (chosen === null) chosen = fault;
      else continue;
      if (fault.count > 0) fault.count -= 1;
    }
    this.#waiting = this.#waiting.filter((fault) => fault.count !== 0);
    return { delay, fault: chosen };
  }
}

/** Sends an answer as it is. Returns its status. */
export function send(answer: Answer, response: ServerResponse): number {
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(answer.body === "" ? {} : { "content-type": answer.contentType }),
    ...(answer.status === 204 ? {} : { "content-length": Buffer.byteLength(answer.body) }),
  });
  response.end(answer.body);
  return answer.status;
}

const GATEWAY_ERRORS = { 502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out" } as const;

function gatewayPage(status: keyof typeof GATEWAY_ERRORS): Answer {
  const title = `${status} ${GATEWAY_ERRORS[status]}`;
  return html(
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n` +
      "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    status,
  );
}

/** The first half of the body: never all of it. */
function half(body: string): Buffer {
  const bytes = Buffer.from(body);
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}

/** Streams a JSON array of token-like strings until `bytes` are through or the client has gone. */
async function sendHugeBody(bytes: number, response: ServerResponse): Promise<void> {
  const line = '"aws80:00000000-0000-0000-0000-000000000000",';
  const chunk = line.repeat(1500);
  response.writeHead(200, { "content-type": JSON_TYPE });
  response.write("[");
  for (let sent = 0; sent < bytes && !response.destroyed; sent += chunk.length) {
    if (response.write(chunk)) continue;
    await new Promise<void>((resume) => {
      const go = () => {
        response.off("drain", go);
        response.off("close", go);
        resume();
      };
      response.once("drain", go);
      response.once("close", go);
    });
  }
  response.end(`${line.slice(0, -1)}]`);
}

function sendSlowly(answer: Answer, ms: number, response: ServerResponse): void {
  const bytes = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    ...answer.headers,
    "content-type": answer.contentType,
    "content-length": bytes.length,
  });
  response.flushHeaders();
  let sent = 0;
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent >= bytes.length) {
      clearInterval(timer);
      response.end();
    }
  }, ms);
  response.on("close", () => clearInterval(timer));
}

/**
 * Answers a call the way a fault wants it. `produce` runs the operation, with its effect, at most once. Returns the
 * status that was sent, 0 for none.
 */
export function sendFaulty(
  fault: Fault,
  call: { path: string; at: number },
  produce: () => Answer,
  request: IncomingMessage,
  response: ServerResponse,
): number {
  const answer = KINDS[fault.kind] === "always" || fault.effect === true ? produce() : null;
  const produced = () => answer ?? text("");
  switch (fault.kind) {
    case "latency":
      return send(produced(), response);
    case "hang":
      return 0;
    case "resetBefore":
    case "resetAfter":
      request.socket.resetAndDestroy();
      return 0;
    case "cutBody": {
      const { status, headers, contentType, body } = produced();
      const sent = body.length > 1 ? half(body) : Buffer.from(" ");
      response.writeHead(status, {
        ...headers,
        "content-type": contentType,
        "content-length": Math.max(Buffer.byteLength(body), sent.length + 1),
      });
      response.write(sent, () => request.socket.destroy());
      return status;
    }
    case "html502":
      return send(gatewayPage(502), response);
    case "html503":
      return send(gatewayPage(503), response);
    case "html504":
      return send(gatewayPage(504), response);
    case "http429": {
      const { retryAfter } = fault;
      const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
      return send({ ...text("Too Many Requests", 429), headers }, response);
    }
    case "false200":
      return send(text("false"), response);
    case "wrongContentType":
      return send({ ...produced(), contentType: fault.contentType ?? HTML_TYPE }, response);
    case "quotedToken":
      return send(
        { ...produced(), body: JSON.stringify(produced().body), contentType: fault.contentType ?? JSON_TYPE },
        response,
      );
    case "emptyBody":
      return send({ ...text(""), status: 200 }, response);
    case "hugeBody":
      void sendHugeBody(fault.bytes ?? 50_000_000, response);
      return 200;
    case "malformedJson":
      return send({ ...produced(), body: half(produced().body).toString("utf8") }, response);
    case "status": {
      const status = fault.status ?? 500;
      const body = fault.body ?? answer?.body ?? "";
      const contentType = fault.contentType ?? answer?.contentType ?? "text/plain;charset=UTF-8";
      return send({ status, body: status === 204 ? "" : body, contentType }, response);
    }
    case "redirect":
      return send({ ...text("", fault.status ?? 302), headers: { location: fault.location ?? "/" } }, response);
    case "jwtExpired":
      return send(text("Jwt is expired", 401), response);
    case "slowBody":
      sendSlowly(produced(), fault.ms ?? 500, response);
      return produced().status;
    case "unauthorized":
      return send(unauthorized(call, "Full authentication is required to access this resource"), response);
  }
}
