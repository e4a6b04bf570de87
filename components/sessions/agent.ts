/** What a User-Agent header says, in words. It is the sender's own claim: good for recognising, proof of nothing. */

// The first that fits counts: most browsers name those that they descend from as well.
const browsers = [
  [/\bEdgA?(?:iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:HeadlessChrome|Chrome|CriOS)\//, "Chrome"],
  [/\bVersion\/[\d.]+.* Safari\//, "Safari"],
] as const;

const systems = [
  [/\biPhone\b|\biPod\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
] as const;

export type AgentKind = "desktop" | "mobile" | "program";

/** `Chrome on Windows`, `curl`, `Unknown program`. */
export function agentName(userAgent: string | null): string {
  const text = userAgent ?? "";
  const browser = browsers.find(([pattern]) => pattern.test(text))?.[1];
  const system = systems.find(([pattern]) => pattern.test(text))?.[1];
  if (browser) return system ? `${browser} on ${system}` : browser;
  // Not a browser: such programs name themselves first, as `curl/8.5.0`.
  const program = /^[\w.-]{1,40}(?=\/|$)/.exec(text)?.[0];
  if (program && program !== "Mozilla") return program;
  return system ? `A browser on ${system}` : "Unknown program";
}

export function agentKind(userAgent: string | null): AgentKind {
  const name = agentName(userAgent);
  if (/ on (iPhone|iPad|Android)$/.test(name)) return "mobile";
  return / on /.test(name) || browsers.some(([, browser]) => browser === name) ? "desktop" : "program";
}
