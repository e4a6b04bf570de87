import { describe, expect, it } from "vitest";
import { agentKind, agentName } from "@/components/sessions/agent";

const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";

describe("the name of a program, from what it says of itself", () => {
  it.each([
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/131.0.0.0 Safari/537.36`,
      "Chrome on Windows",
      "desktop",
    ],
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0`,
      "Edge on Windows",
      "desktop",
    ],
    [
      `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Chrome/131.0.0.0 Safari/537.36 OPR/115.0.0.0`,
      "Opera on macOS",
      "desktop",
    ],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
      "Safari on macOS",
      "desktop",
    ],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Linux", "desktop"],
    [
      `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/131.0.0.0 Safari/537.36`,
      "Chrome on ChromeOS",
      "desktop",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
      "Safari on iPhone",
      "mobile",
    ],
    [
      "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0.0.0 Mobile/15E148 Safari/604.1",
      "Chrome on iPad",
      "mobile",
    ],
    [
      `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/131.0.0.0 Mobile Safari/537.36`,
      "Chrome on Android",
      "mobile",
    ],
    [
      `Mozilla/5.0 (Linux; Android 14; SM-S921B) ${webkit} SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36`,
      "Samsung Internet on Android",
      "mobile",
    ],
    ["Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko", "A browser on Windows", "desktop"],
    ["curl/8.5.0", "curl", "program"],
    ["python-requests/2.32.3", "python-requests", "program"],
    ["node", "node", "program"],
    ["Mozilla/5.0", "Unknown program", "program"],
    ["(null)", "Unknown program", "program"],
    ["", "Unknown program", "program"],
    [null, "Unknown program", "program"],
  ] as const)("%s", (userAgent, name, kind) => {
    expect(agentName(userAgent)).toBe(name);
    expect(agentKind(userAgent)).toBe(kind);
  });
});
