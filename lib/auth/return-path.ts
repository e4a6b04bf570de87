/** Where a sign-in may lead back to. */

const home = "/tokens";
const base = "http://internal.invalid";

/**
 * A path of this application, or the home page: never another origin, the sign-in page, or the API.
 * The value is parsed as a browser would (tabs, backslashes and dot segments resolved) before it is judged.
 */
export function safeReturnPath(value: string | null | undefined): string {
  if (!value?.startsWith("/") || value.length > 1_000 || !URL.canParse(value, base)) return home;
  const url = new URL(value, base);
  const { pathname } = url;
  if (url.origin !== base || pathname.startsWith("//")) return home;
  if (/^\/(sign-in|api|_next)(\/|$)/.test(pathname) || pathname === "/") return home;
  url.searchParams.delete("_rsc");
  return `${pathname}${url.search}`;
}

export type SignInReason = "expired" | "idle" | "required" | "signed-out";

/** The sign-in page, with the reason for it and the way back. Who has only just come needs neither. */
export function signInPath(reason: SignInReason, returnTo?: string | null): string {
  const back = safeReturnPath(returnTo);
  if (reason === "required" && back === home) return "/sign-in";
  return `/sign-in?${new URLSearchParams({ reason, ...(back === home ? {} : { returnTo: back }) })}`;
}
