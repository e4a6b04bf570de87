/** The pages that stand in for another. */
export const pagesTexts = {
  error: {
    title: "Something went wrong on our side",
    nothingChanged: "Nothing was changed in RingCX by showing this page.",
    reference: (digest: string) => `Reference ${digest}`,
    tab: "Error · Tokendesk",
    withoutPage: "Tokendesk could not show this page",
    viewOnly: "This view could not be shown. The rest of Tokendesk still works.",
  },
  notFound: {
    tab: "Not found",
    title: "There is nothing at this address",
    goToTokens: "Go to tokens",
    why: "The link may be old, or it was typed with a slip.",
  },
  site: {
    /** For the `lang` attribute. */
    language: "en",
    name: "Tokendesk",
    titleOf: "%s · Tokendesk",
    description: "RingCX API tokens: see them, create them, revoke them.",
  },
} as const;
