import { type NextRequest, NextResponse } from "next/server";
import { signInPath } from "@/lib/auth/return-path";
import { env } from "@/lib/env";
import { openSession } from "@/lib/session/upkeep";

/**
 * Renews the session before anything renders, sends strangers to the sign-in page, and sets the security
 * headers. A convenience: every page and route authorizes again in its data path.
 */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
  const requestId = crypto.randomUUID();
  const policy = contentSecurityPolicy(nonce);
  const changes: [name: string, value: string, options: object][] = [];
  const state = await openSession(
    {
      read: (name) => request.cookies.get(name)?.value,
      write: (name, value, options) => {
        changes.push([name, value, options ?? {}]);
      },
    },
    true,
  );

  const { pathname, search } = request.nextUrl;
  const api = pathname === "/api" || pathname.startsWith("/api/");
  let response: NextResponse;
  if (!api && request.method !== "GET" && request.method !== "HEAD") {
    // Pages take nothing, and Server Actions there are none.
    response = new NextResponse(null, { status: 405, headers: { allow: "GET, HEAD" } });
  } else if (state.kind !== "active" && !api && pathname !== "/sign-in" && pathname !== "/sign-in/ringex") {
    const reason = state.kind === "ended" ? state.reason : "required";
    response = NextResponse.redirect(new URL(signInPath(reason, `${pathname}${search}`), env().appUrl));
  } else {
    // A renewed cookie must be seen by the page or route of this same request. An ended one stays visible to the
    // API, which says how the session ended and clears it itself.
    if (!(api && state.kind === "ended")) {
      for (const [name, value] of changes) {
        if (value === "") request.cookies.delete(name);
        else request.cookies.set(name, value);
      }
    }
    const headers = new Headers(request.headers);
    headers.set("x-nonce", nonce);
    headers.set("x-request-id", requestId);
    headers.set("x-tokendesk-path", `${pathname}${search}`);
    headers.set("content-security-policy", policy);
    response = NextResponse.next({ request: { headers } });
  }
  for (const change of changes) response.cookies.set(...change);
  response.headers.set("content-security-policy", policy);
  if (env().secureCookies) response.headers.set("strict-transport-security", "max-age=31536000; includeSubDomains");
  if (!api) response.headers.set("cache-control", "no-store");
  return response;
}

function contentSecurityPolicy(nonce: string): string {
  // React's development build evaluates strings to rebuild server stacks.
  const development = process.env.NODE_ENV === "development" ? " 'unsafe-eval'" : "";
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development}`,
    // Its error overlay injects styles of its own.
    development === "" ? `style-src 'self' 'nonce-${nonce}'` : "style-src 'self' 'unsafe-inline'",
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    ...(env().secureCookies ? ["upgrade-insecure-requests"] : []),
  ].join("; ");
}

export const config = {
  // Everything but static files, which carry no session, and what takes bodies that Next may not hold for us: those
  // routes open the session themselves, as every route does.
  matcher: [
    "/((?!_next/static/|api/incidents/(?:scan|revoke|report|verify)$|api/tokens/revoke$|icon\\.svg$|favicon\\.ico$|robots\\.txt$).*)",
  ],
};
