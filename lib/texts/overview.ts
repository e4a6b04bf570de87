import { formatCount, plural } from "@/lib/format";

export const overviewTexts = {
  view: {
    loading: "Loading the overview",
    title: "Overview",
    scopeOwn: "Your own tokens",
    scopeAccount: (tokens: number, people: number) =>
      `The main account: ${plural(tokens, "known token")} of ${plural(people, "person", "people")} seen`,
    noAnswer: "RingCX did not answer",
    remembered: "This is what Tokendesk remembers from its last look; your own list could not be read just now.",
    unusual: "Unusually many tokens at the incident desk",
    unusualActor: (tokens: number) => `{actor}: ${plural(tokens, "token")} within an hour, {time}`,
    nothing: "There is no token to look after yet",
    goToTokens: "Go to tokens",
    nothingYet: "When there is one, this page says first what needs attention, and then how things have gone.",
    charts: "How things have gone",
  },
  attention: {
    kinds: {
      unknown_outcome: {
        name: "Unknown outcome",
        own: "See what is known",
        account: "See what is known",
      },
      appeared: {
        name: "Appeared",
        own: "Adopt or revoke",
        account: "Show in Team",
      },
      order_pending: {
        name: "Order pending",
        own: "See its history",
        account: "See the order",
      },
      rotation: {
        name: "Rotation open",
        own: "Continue it",
        account: "See its history",
      },
      overdue: {
        name: "Overdue",
        own: "Rotate it",
        account: "Show in Team",
      },
      vanished: {
        name: "Vanished",
        own: "Take note",
        account: "See its history",
      },
      unlabelled: {
        name: "Unlabelled",
        own: "Add a label",
        account: "Show in Team",
      },
      due_soon: {
        name: "Due soon",
        own: "Rotate it",
        account: "Show in Team",
      },
    },
    nothing: {
      account: "Nothing in the lists that Tokendesk has seen. Others of the main account may exist.",
      ownLive: "Nothing in your list as RingCX shows it now.",
      ownRemembered: "Nothing in your list as Tokendesk last saw it.",
    },
    title: "Needs attention",
    mostUrgent: (count: number) => `The ${count} most urgent`,
    showMore: (count: number) => `Show ${count} more`,
    showFewer: "Show fewer",
    all: "All of them:",
    kindCount: (name: string, count: number) => `${name} (${formatCount(count)})`,
  },
  ages: {
    title: "Age",
    summary: (tokens: number) =>
      `${plural(tokens, "active token")}, by when Tokendesk first saw them: they may be older`,
    firstSeen: "First seen",
    activeTokens: "Active tokens",
    bar: (age: string, tokens: number) => `${age}: ${plural(tokens, "active token")}`,
  },
  chart: {
    showTable: "Show as table",
    table: (title: string) => `${title}, as a table`,
  },
  alive: {
    title: "Tokens over time",
    summary: (now: number, change: number, day: string) => {
      const than =
        change === 0 ? "as many as" : `${formatCount(Math.abs(change))} ${change > 0 ? "more" : "fewer"} than`;
      return `${plural(now, "known active token")} now, ${than} known on ${day}`;
    },
    day: "Day",
    knownActive: "Known active tokens",
    dot: (day: string, tokens: number) => `${day}: ${plural(tokens, "known active token")}`,
  },
  activity: {
    created: {
      name: "Created",
      within: "created",
    },
    revoked: {
      name: "Revoked",
      within: "revoked",
    },
    revealed: {
      name: "Revealed",
      within: "revealed",
    },
    other: {
      name: "Everything else",
      within: "everything else",
    },
    title: "Activity",
    summary: (days: number, parts: string) => `In ${days} days: ${parts}`,
    part: (count: number, what: string) => `${formatCount(count)} ${what}`,
    bar: (day: string, parts: string[]) => `${day}: ${parts.length === 0 ? "nothing" : parts.join(", ")}`,
    day: "Day",
  },
  counts: {
    active: "Active tokens",
    label: "Counts",
  },
} as const;
