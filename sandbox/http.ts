import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { SandboxUser } from "./seed.ts";

/** An answer as the vendor would send it, before any fault bends it. `effect`: the call changed the platform's state. */
export type Answer = {
  status: number;
  body: string;
  contentType: string;
  headers?: Record<string, string>;
  effect?: boolean;
};

/** Who called. `refusal` is what a protected operation answers when the credential is missing or dead. */
export type Identity = {
  auth: "bearer" | "x-auth-token" | "none";
  user: SandboxUser | null;
  /** The credential itself, without the scheme. */
  credential: string | null;
  refusal: Answer | null;
};

/** One request, read completely. `path` is raw as sent, without the query; `params` are percent-decoded. */
export type Call = {
  at: number;
  method: string;
  path: string;
  params: readonly string[];
  query: URLSearchParams;
  form: URLSearchParams;
  body: string;
  headers: IncomingHttpHeaders;
  address: string;
};

export const JSON_TYPE = "application/json;charset=UTF-8";
const TEXT_TYPE = "text/plain;charset=UTF-8";
export const HTML_TYPE = "text/html;charset=UTF-8";

export function json(value: unknown, status = 200): Answer {
  return { status, body: JSON.stringify(value), contentType: JSON_TYPE };
}

export function text(body: string, status = 200): Answer {
  return { status, body, contentType: TEXT_TYPE };
}

export function html(body: string, status = 200): Answer {
  return { status, body, contentType: HTML_TYPE };
}

export function withEffect(answer: Answer): Answer {
  return { ...answer, effect: true };
}

/** The vendor's error body (guide, "Missing permission"). `requestUri` repeats the path as sent, secrets included. */
export function failure(
  call: { path: string; at: number },
  status: number,
  errorCode: string,
  generalMessage: string,
): Answer {
  return json({ errorCode, generalMessage, details: "", requestUri: call.path, timestamp: call.at }, status);
}

export function unauthorized(call: { path: string; at: number }, generalMessage: string): Answer {
  return failure(call, 401, "unauthorized.exception", generalMessage);
}

export function accessDenied(call: { path: string; at: number }): Answer {
  return failure(call, 403, "access.denied.exception", "You do not have permission to access this resource");
}

/** The value of `name` in the form body, else in the query. */
export function formOrQuery(call: Call, name: string): string | null {
  return call.form.get(name) ?? call.query.get(name);
}

/** A request body larger than the sandbox reads. */
export class BodyTooLarge extends Error {}

const MAX_BODY_BYTES = 1_048_576;

/** The request body as text, at most 1 MiB, else BodyTooLarge. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new BodyTooLarge("request body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
