export const stepUpTexts = {
  question: {
    title: "Confirm that it is you",
    description: (minutes: number) =>
      `Your last sign-in is more than ${minutes} minutes ago, and this asks for a fresh one.`,
    password: (login: string) => `RingCX password of ${login}`,
    passwordHelp: "It goes to RingCX once and is not kept. Nothing has been done yet.",
    sso: "Continue with SSO",
    ringcentral: "Continue with RingCentral",
    leave: (login: string) =>
      `You leave this page to sign in as ${login} and come back to it. Nothing has been done yet: ask for it again then.`,
  },
} as const;
