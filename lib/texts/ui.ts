import { formatCount } from "@/lib/format";

/** What is the same everywhere: buttons, failures, tables. */
export const uiTexts = {
  actions: {
    cancel: "Cancel",
    clearFilters: "Clear filters",
    close: "Close",
    confirm: "Confirm",
    dismiss: "Dismiss",
    done: "Done",
    retry: "Retry",
    tryAgain: "Try again",
  },
  failure: {
    signInAgain: "{link}, then come back to this one.",
    signInAgainLink: "Sign in again in a new tab",
    requestId: (id: string) => `Request ID ${id}`,
  },
  toast: {
    region: "Notification",
  },
  field: {
    optional: "Optional",
  },
  table: {
    first: "First page",
    previous: "Previous page",
    next: "Next page",
    last: "Last page",
    pagination: "Pagination",
    extent: (first: number, last: number, all: number) =>
      `${formatCount(first)}–${formatCount(last)} of ${formatCount(all)}`,
    size: "Rows per page",
    page: (page: number, pages: number) => `Page ${formatCount(page)} of ${formatCount(pages)}`,
    sortBy: "Sort by",
  },
  advice: {
    upstream: "This is usually over in a minute. If it stays, look at RingCX's status page.",
    tokenNotFound: "The page behind this shows what is there now.",
    badOrigin: "Open Tokendesk at its own address.",
    auditUnavailable: "Nothing is changed without a record. If it stays, tell the administrator of this Tokendesk.",
    internal: "If it stays, tell the administrator of this Tokendesk.",
    network: "Check the connection, then try again.",
    signedOut: "What you typed stays here.",
  },
  failures: {
    stopped: "Stopped",
    stoppedWhy: "The request was stopped before its answer came.",
    network: "No answer from Tokendesk",
    networkWhy: "The connection broke, or the server cannot be reached.",
    unreadable: "The answer makes no sense",
    unreadableWhy: (status: number) =>
      `Something between this browser and Tokendesk answered instead of it (status ${status}).`,
  },
  copy: {
    copied: (what: string) => `Copied ${what}`,
    failed: (what: string) => `Could not copy ${what}`,
    refused: "The browser refused. Select the text and copy it.",
    copy: (what: string) => `Copy ${what}`,
  },
  freshness: {
    readAt: "Read from RingCX at {time}",
    refresh: "Refresh",
  },
  time: {
    inBothZones: (utc: string, own: string) => `${utc}\n${own}, your time`,
  },
} as const;
