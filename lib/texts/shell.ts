export const shellTexts = {
  frame: {
    navigation: "Main",
    skip: "Skip to content",
    sandbox: "Sandbox: not the real RingCX",
    menu: "Menu",
    closeMenu: "Close menu",
  },
  noConnection: {
    title: "No RingCX account is connected",
    connect: "Connect RingCX account",
  },
  card: {
    none: "No RingCX account",
    notConnected: "Not connected to RingCX",
    mainAccount: "Main account",
    platform: "Platform",
  },
  roles: { member: "Member", ops: "Operations", admin: "Administrator" },
  signOut: {
    failed: "You are still signed in",
  },
  user: {
    label: (name: string) => `User menu, ${name}`,
    shortcuts: "Keyboard shortcuts",
    signOut: "Sign out",
    theme: "Theme",
    themes: {
      system: "System",
      light: "Light",
      dark: "Dark",
    },
    times: "Times",
    zones: {
      local: "Local",
      utc: "UTC",
    },
  },
  places: {
    overview: {
      name: "Overview",
      words: "home attention",
    },
    incident: {
      name: "Incident",
      words: "desk leak",
    },
    tokens: {
      name: "Tokens",
      words: "list inventory",
    },
    accounts: {
      name: "Accounts",
      words: "sub-accounts",
    },
    audit: {
      name: "Audit log",
      words: "events history",
    },
    team: {
      name: "Team",
      words: "owners coverage sessions",
    },
    settings: {
      name: "Settings",
      words: "profile sessions keys notifications",
    },
  },
} as const;
