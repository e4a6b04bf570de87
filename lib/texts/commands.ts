import { plural } from "@/lib/format";

export const commandsTexts = {
  list: {
    groups: {
      recent: "Recent",
      pages: "Pages",
      actions: "Actions",
      connections: "Connections",
      views: "Saved views",
      settings: "Settings",
      search: "Search",
    },
    recentWords: "recent",
    newToken: {
      name: "New token",
      words: "create add",
    },
    scan: {
      name: "Scan a text for tokens",
      words: "leak paste incident desk",
    },
    copyLink: {
      name: "Copy link to this view",
      words: "share address url",
      what: "the link to this view",
    },
    view: {
      words: "view",
      tokens: "Tokens",
      audit: "Audit log",
    },
    switchTo: {
      name: (name: string) => `Switch to ${name}`,
      words: "connection",
    },
    connections: {
      name: "Connections",
      words: "switch",
    },
    theme: {
      words: "appearance colours",
      light: "Theme: light",
      dark: "Theme: dark",
      system: "Theme: as the system",
    },
    times: {
      utc: "Times in UTC",
      local: "Times in your own zone",
      words: "timezone clock",
    },
    shortcuts: {
      name: "Keyboard shortcuts",
      words: "help keys",
    },
    signOut: {
      name: "Sign out",
      words: "log out leave",
    },
    search: {
      tokens: (text: string) => `Search tokens for “${text}”`,
      team: (text: string) => `Search team tokens for “${text}”`,
    },
  },
  palette: {
    maskedWhole: "That was a token value. The search uses its hint; the value goes nowhere.",
    maskedPart: "Part of a token value is not searched. Type the last four, or paste the whole value.",
    title: "Commands",
    label: "Commands, pages and tokens",
    placeholder: "What would you like to do?",
    found: (commands: number) => (commands === 0 ? "Nothing fits" : plural(commands, "result")),
    results: "Results",
  },
  sheet: {
    thisSheet: "This sheet",
    search: "Search on this page",
    newToken: "New token, on the tokens page",
    switchConnection: "Switch connection",
    title: "Keyboard shortcuts",
    description: "They do nothing while you type in a field or a dialog is open.",
    always: "Always",
    commands: "Commands",
    inCommands: "In the commands",
    singleKeys: "Single keys",
    goTo: "Go to",
    sequence: "One after the other",
    use: "Use single keys and sequences",
    useHelp: (modifier: string) =>
      `Switch them off when you speak to your computer, or press keys by chance. ${modifier} K works all the same. This browser remembers it.`,
    forgotten: "This browser keeps nothing for this site: the choice is forgotten when the page is loaded again.",
    upAndDown: "Up and down",
    choose: "Choose",
    enter: "Enter",
    escape: "Esc",
    off: "Switched off",
  },
  recent: {
    token: "Token",
    report: "Incident report",
  },
  keys: {
    control: "Ctrl",
  },
} as const;
