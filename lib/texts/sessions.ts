import { formatCount, plural } from "@/lib/format";

export const sessionsTexts = {
  profile: {
    title: "Profile",
    name: "Name",
    email: "E-mail",
    notKnown: "Not known",
    role: "Role",
    signedIn: "Signed in",
    rights: {
      member: "Your own tokens, sessions and events",
      ops: "The tokens, sessions and events of your main account",
      admin: "The tokens, sessions and events of your main account, and denied sign-ins",
    },
    doors: {
      ringcx: "With a RingCX password",
      ringcentral: "With RingCentral",
      oidc: "With the company's single sign-on",
    },
  },
  section: {
    title: "Your sessions",
    about: (latest: number | null) =>
      `Where you are signed in to Tokendesk${latest === null ? "" : `: the latest ${formatCount(latest)}, there are more`}. End what you do not know.`,
    elsewhere: "Sign out everywhere else",
    everywhere: "Sign out everywhere",
    current: "This session",
    signedInAt: "Signed in {time}",
    lastSeenAt: "Last seen {time}",
    signOutOf: (session: string) => `Sign out ${session}`,
    signOut: "Sign out",
    thisOne: (session: string) => `${session}, this session`,
    ended: (count: number) => `Ended ${plural(count, "session")}`,
    over: "It was over already.",
    endOthers: {
      title: "Sign out everywhere else?",
      text: (others: number | null) =>
        `${others === null ? "All other sessions" : plural(others, "other session")} of yours will end at once.`,
    },
    endAll: {
      title: "Sign out everywhere?",
      text: "All of your sessions end at once, this one too.",
    },
    endOne: {
      title: "Sign out of this session?",
      current: "You will have to sign in again in this browser.",
      text: (session: string) => `${session}. It ends at once.`,
    },
  },
  agents: {
    browserOn: (browser: string, system: string) => `${browser} on ${system}`,
    someBrowserOn: (system: string) => `A browser on ${system}`,
    unknown: "Unknown program",
  },
  settings: {
    loading: "Loading your settings",
    title: "Settings",
  },
} as const;
