/** What a User-Agent header says, in words. It is the sender's own claim: good for recognising, proof of nothing. */

import { sessionsTexts } from "@/lib/texts/sessions";

const texts = sessionsTexts.agents;

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

const mobiles: readonly (string | undefined)[] = ["iPhone", "iPad", "Android"];

function partsOf(userAgent: string | null) {
  const text = userAgent ?? "";
  const browser = browsers.find(([pattern]) => pattern.test(text))?.[1];
  const system = systems.find(([pattern]) => pattern.test(text))?.[1];
  // Not a browser: such programs name themselves first, as `curl/8.5.0`.
  const first = browser ? undefined : /^[\w.-]{1,40}(?=\/|$)/.exec(text)?.[0];
  return { browser, system, program: first === "Mozilla" ? undefined : first };
}

/** `Chrome on Windows`, `curl`, `Unknown program`. */
export function agentName(userAgent: string | null): string {
  const { browser, system, program } = partsOf(userAgent);
  if (browser) return system ? texts.browserOn(browser, system) : browser;
  return program ?? (system ? texts.someBrowserOn(system) : texts.unknown);
}

export function agentKind(userAgent: string | null): AgentKind {
  const { browser, system, program } = partsOf(userAgent);
  if (program || !(browser || system)) return "program";
  return mobiles.includes(system) ? "mobile" : "desktop";
}
