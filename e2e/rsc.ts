/** The requests that a browser sends for a page: as a document, as a navigation inside the app, and ahead of one. */
import { createHash } from "node:crypto";
import type { SendOptions } from "./visitor.ts";

export const pages = ["/tokens", "/accounts"] as const;
/** Every page behind the sign-in that is at a fixed address. */
export const everyPage = [...pages, "/overview", "/incident", "/audit", "/team", "/settings"] as const;
type PagePath = (typeof everyPage)[number];

/** What the router has of the page that it goes to, as Chromium sent it: the marked part is asked for. */
function stateTree(path: PagePath, ask: "page" | "folder"): string {
  const leaf = { children: ask === "page" ? ["__PAGE__", {}, null, "refetch", 0] : ["__PAGE__", {}] };
  const folder = [path.slice(1), leaf, null, ask === "folder" ? "refetch" : null, 4];
  const tree = ["", { children: ["(dashboard)", { children: folder }, null, null, 8] }, null, null, 24];
  return encodeURIComponent(JSON.stringify(tree));
}

/** With Next's own check value: a digest of the headers that the answer depends on. Without it Next redirects. */
function rscRequest(title: string, path: string, headers: Record<string, string>): Asked {
  const names = ["next-router-prefetch", "next-router-segment-prefetch", "next-router-state-tree", "next-url"];
  const input = names.map((name) => headers[name] ?? "0").join(",");
  const digest = createHash("sha256").update(input).digest().subarray(0, 12).toString("base64url");
  return { title, path: `${path}?_rsc=${digest}`, options: { headers: { rsc: "1", ...headers } } };
}

type Asked = { title: string; path: string; options: SendOptions };

/** One page in every way in which a browser asks for it. */
export function waysToAsk(path: PagePath): Asked[] {
  const from = pages.find((other) => other !== path) ?? "/accounts";
  const url = { "next-url": from };
  const page = { ...url, "next-router-state-tree": stateTree(path, "page") };
  const folder = { ...url, "next-router-state-tree": stateTree(path, "folder"), "next-router-prefetch": "1" };
  const frame = { ...url, "next-router-segment-prefetch": "/_tree", "next-router-prefetch": "1" };
  return [
    { title: `the page ${path}`, path, options: { headers: { accept: "text/html" } } },
    rscRequest(`a navigation to ${path}`, path, page),
    rscRequest(`a prefetch of ${path}`, path, folder),
    rscRequest(`a prefetch of the frame of ${path}`, path, frame),
    { title: `the payload ${path}.rsc`, path: `${path}.rsc`, options: {} },
    { title: `the segment of ${path}`, path: `${path}.segments/_tree.segment.rsc`, options: {} },
  ];
}

/** A page at an address of its own, as a document and as all of its payload. */
export function waysToAskAt(path: string): Asked[] {
  return [
    { title: `the page ${path}`, path, options: { headers: { accept: "text/html" } } },
    rscRequest(`the payload of ${path}`, path, {}),
  ];
}

export const apiReads = ["/api/session", "/api/tokens", "/api/accounts"] as const;
