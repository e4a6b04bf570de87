import "server-only";
import { cookies } from "next/headers";
import { NextRequest, NextResponse } from "next/server";
import NextAuth from "next-auth";
import type { OAuthConfig } from "next-auth/providers/oauth";
import { arrive } from "@/lib/auth/arrival";
import { companyMetadata, companyProvider, companySignOut } from "@/lib/auth/company";
import { recordDenial } from "@/lib/auth/denial";
import { exchangeAtOnce } from "@/lib/auth/exchange";
import { authOptions, checkCookies, identityCookieName, readIdentity } from "@/lib/auth/identity";
import { readIntent, takeIntent } from "@/lib/auth/intent";
import { ringexProvider } from "@/lib/auth/ringex";
import { cookieJar, currentSession } from "@/lib/auth/session";
import { endCurrentSession, startSession } from "@/lib/auth/sessions";
import { newAttempt, type SignInAttempt, signInAttempt } from "@/lib/auth/sign-in";
import { env } from "@/lib/env";
import { isTokendeskError, TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";

type AuthRequest = {
  request: NextRequest;
  /** The body, already read and capped; empty for GET. */
  body: string;
  /** The path below `/api/auth`: `["callback", "ringcx"]`. */
  path: string[];
  /** The client's address, for the throttle. */
  address: string;
  requestId: string;
};

const read: readonly string[] = ["GET", "HEAD"];
const post: readonly string[] = ["POST"];

/**
 * The steps, and the methods that each takes. next-auth takes any further segments for parameters; what is not listed here
 * would pass by the code below.
 */
const steps = new Map<string, readonly string[]>([
  // A HEAD, as link checkers send it, would use the way back up.
  ["callback/oidc", ["GET"]],
  ["callback/ringcentral", ["GET"]],
  ["callback/ringcx", post],
  ["csrf", read],
  ["providers", read],
  ["session", [...read, ...post]],
  ["signin/oidc", post],
  ["signin/ringcentral", post],
  ["signin/ringcx", post],
  ["signout", post],
]);

/** next-auth has pages of its own there, or sends what an address says along to ours. */
const pages = new Set(["error", "signin", "signin/oidc", "signin/ringcentral", "signin/ringcx", "signout"]);

/**
 * next-auth's handler with the encrypted session around it: a sign-in writes it, a sign-out ends it here and
 * upstream. Failures of a sign-in are thrown as coded errors, which next-auth cannot express; of one that comes back from
 * another site they are told on the sign-in page, or where the person was.
 * @throws {TokendeskError}
 */
export async function authenticate(asked: AuthRequest): Promise<Response> {
  const action = asked.path.join("/");
  const { method } = asked.request;
  if (pages.has(action) && read.includes(method)) return NextResponse.redirect(new URL("/sign-in", env().appUrl));
  const methods = steps.get(action);
  if (methods === undefined) throw new TokendeskError("not_found", "There is no such step of a sign-in.");
  if (!methods.includes(method)) {
    throw new TokendeskError("method_not_allowed", `This step of a sign-in does not take ${method}.`);
  }
  if (action === "session" && (await currentSession()) === null) return Response.json({});

  const attempt = newAttempt(asked.address);
  if (action === "callback/oidc") return cameBack(asked, attempt, "oidc");
  if (action === "callback/ringcentral") return cameBack(asked, attempt, "ringcentral");
  if (action === "signin/oidc") return leave(asked, attempt, "oidc");
  if (action === "signin/ringcentral") return leave(asked, attempt, "ringcentral");

  const response = await askNextAuth(asked, attempt, [...ringexProvider(), ...companyProvider(null)]);
  if (action === "callback/ringcx") {
    try {
      if (attempt.error !== null) throw attempt.error;
      if (attempt.session === null || attempt.person === null) throw outOfDate();
      await startSession(attempt.person, attempt.session);
    } catch (error) {
      attempt.error = error;
      await recordDenial(attempt, from(asked));
      throw error;
    }
  }
  const identityCookie = cookieJar(await cookies()).read(identityCookieName());
  // next-auth answers as if it were done.
  if (action === "signout" && identityCookie && !attempt.signedOut) throw outOfDate();
  if (!attempt.signedOut) return response;
  // next-auth empties its cookie; it should be gone, and its CSRF token with it.
  dropCookies(response, () => true);
  const identity = await readIdentity(identityCookie);
  await endCurrentSession();
  const next = identity?.provider === "oidc" ? await companySignOut() : null;
  return next === null ? response : leadTo(next, response);
}

type Door = "oidc" | "ringcentral";

/** Proxies commonly take a line of 8 KB: more, and whoever comes back would be met by an error of theirs. */
const maxHeaderBytes = 8_000;

/** The way to another site, where somebody signs in. */
async function leave(asked: AuthRequest, attempt: SignInAttempt, door: Door): Promise<Response> {
  const intent = await readIntent(cookieJar(await cookies()));
  const fresh = intent?.purpose === "confirm";
  const providers =
    door === "oidc" ? companyProvider(await companyMetadata({ anew: true }), { fresh }) : ringexProvider({ fresh });
  if (providers.length === 0) throw new TokendeskError("not_found", "This way to sign in is not set up here.");
  const response = await askNextAuth(asked, attempt, providers);
  const added = response.headers.getSetCookie().map((cookie) => cookie.slice(0, cookie.indexOf(";")));
  // next-auth answers what it does not take with a page of its own.
  if (!added.some((pair) => pair.startsWith(`${checkCookies().state}=`))) throw outOfDate();
  const names = added.map((pair) => pair.slice(0, pair.indexOf("=") + 1));
  const kept = (asked.request.headers.get("cookie") ?? "")
    .split("; ")
    .filter((pair) => !names.some((name) => pair.startsWith(name)));
  if ([...kept, ...added].join("; ").length > maxHeaderBytes) {
    throw new TokendeskError(
      "session_too_large",
      "The encrypted cookies have no room for the way there and back beside what is in them, so nothing was changed. Disconnect a RingCX account first.",
    );
  }
  return response;
}

/** Somebody is back from another site, with whatever it said of them. */
async function cameBack(asked: AuthRequest, attempt: SignInAttempt, door: Door): Promise<Response> {
  const jar = cookieJar(await cookies());
  const intent = await takeIntent(jar);
  let location: string;
  try {
    const providers = door === "oidc" ? companyProvider(await companyMetadata()) : ringexProvider();
    if (providers.length === 0) throw new TokendeskError("not_found", "This way to sign in is not set up here.");
    await askNextAuth(asked, attempt, providers);
    location = await arrive(door, attempt, intent, asked.request.nextUrl);
    if (door === "ringcentral" && intent.purpose === "sign_in") {
      location = (await exchangeAtOnce(asked.address)) ?? location;
    }
  } catch (error) {
    attempt.error = error;
    await recordDenial(attempt, from(asked));
    if (!isTokendeskError(error)) logger().error({ requestId: asked.requestId, err: error }, "sign-in failed");
    const code = isTokendeskError(error) ? error.code : "internal_error";
    const problem = isTokendeskError(error) ? String(error.extensions.problem ?? code) : code;
    location =
      intent.purpose === "sign_in"
        ? `/sign-in?${new URLSearchParams({ problem, returnTo: intent.returnTo })}`
        : withProblem(intent.returnTo, problem);
  }
  // For one use, whatever came of it.
  for (const name of Object.values(checkCookies())) {
    if (jar.read(name))
      jar.write(name, "", { path: "/", httpOnly: true, sameSite: "lax", secure: env().secureCookies, maxAge: 0 });
  }
  return NextResponse.redirect(new URL(location, env().appUrl));
}

async function askNextAuth(
  { request, body, path }: AuthRequest,
  attempt: SignInAttempt,
  providers: OAuthConfig<Record<string, unknown>>[],
): Promise<Response> {
  // next-auth parses it without a net.
  if (body !== "" && request.headers.get("content-type")?.includes("application/json") && !isJson(body)) {
    throw new TokendeskError("invalid_input", "The body is not valid JSON.");
  }
  // next-auth believes this variable before any Host header.
  process.env.NEXTAUTH_URL = env().appUrl;
  const url = new URL(request.url);
  // It would pass what stands there on to the other site, and have it stand before what we ask for.
  if (request.method === "POST") url.search = "";
  const forwarded = new NextRequest(url, {
    // It knows no HEAD.
    method: request.method === "HEAD" ? "GET" : request.method,
    headers: request.headers,
    ...(body === "" ? {} : { body }),
  });
  const response: Response = await signInAttempt.run(attempt, () =>
    NextAuth(forwarded, { params: { nextauth: path } }, authOptions(providers)),
  );
  // The address to go to after a sign-in is ours to decide; the cookie that keeps it is 60 bytes for nothing.
  dropCookies(response, (name) => name.endsWith("callback-url"));
  return response;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function from({ request, requestId }: AuthRequest) {
  return { userAgent: request.headers.get("user-agent"), requestId };
}

function outOfDate(): TokendeskError {
  return new TokendeskError("invalid_input", "This page is out of date. Reload it and try again.");
}

/** next-auth's answer, as it gives it to a script or to a form, with another address in it. */
function leadTo(url: string, response: Response): Response {
  return response.headers.has("location") ? NextResponse.redirect(url, 303) : NextResponse.json({ url });
}

/** Where somebody who is signed in was, with what went wrong. */
function withProblem(path: string, problem: string): string {
  const url = new URL(path, env().appUrl);
  url.searchParams.set("problem", problem);
  return `${url.pathname}${url.search}`;
}

/** Takes cookies of next-auth's out of its answer. */
function dropCookies(response: Response, isDropped: (name: string) => boolean): void {
  const kept = response.headers.getSetCookie().filter((cookie) => !isDropped(cookie.slice(0, cookie.indexOf("="))));
  response.headers.delete("set-cookie");
  for (const cookie of kept) response.headers.append("set-cookie", cookie);
}
