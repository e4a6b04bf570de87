import {
  type AttentionItem,
  type AttentionKind,
  type Overview,
  parseTeamQuery,
  teamQueryString,
} from "@/lib/team/schema";
import { parseTokenQuery, tokenQueryString } from "@/lib/tokens/schema";

const tokens = (parameters: Record<string, string>) => `/tokens${tokenQueryString(parseTokenQuery(parameters))}`;
const team = (parameters: Record<string, string>) => `/team${teamQueryString(parseTeamQuery(parameters))}`;

/** The page that shows all of a kind. */
export function placeOfKind(kind: AttentionKind, scope: Overview["scope"]): string {
  const own = scope === "own";
  switch (kind) {
    case "unknown_outcome":
      return "/audit?outcome=unknown";
    case "appeared":
      return own ? tokens({ state: "appeared" }) : team({ view: "appeared" });
    case "order_pending":
      return own ? tokens({ state: "ordered" }) : team({ view: "ordered" });
    case "rotation":
      return own ? tokens({ state: "rotating" }) : team({});
    case "overdue":
      return own ? tokens({ state: "overdue" }) : team({ view: "overdue" });
    case "vanished":
      return own ? "/tokens" : team({ view: "gone" });
    case "unlabelled":
      return own ? tokens({ labelled: "no" }) : team({ view: "unlabelled" });
    case "due_soon":
      return own ? tokens({ state: "due" }) : team({ sort: "rotateBy" });
  }
}

/** The page where one token of a kind can be dealt with. */
export function placeOfToken({ kind, token, open }: AttentionItem, scope: Overview["scope"]): string {
  // What has no outcome yet is not among those whose outcome is unknown.
  if (token === null) return open ? "/audit?outcome=attempted" : placeOfKind(kind, scope);
  const history = `/tokens/${encodeURIComponent(token.id)}`;
  switch (kind) {
    case "unknown_outcome":
      return history;
    case "vanished":
      return scope === "own" ? "/tokens" : history;
    case "rotation":
      return scope === "own" ? tokens({ state: "rotating", q: token.hint }) : history;
    case "order_pending":
      return scope === "own" ? history : team({ view: "ordered", q: token.hint });
    default:
      return scope === "own" ? tokens({ q: token.hint }) : team({ q: token.hint });
  }
}
