/** What went wrong with a sign-in that led over another site, by the word that its way back carries. */

type Text = { title: string; detail: string };

const texts: Record<string, Text> = {
  denied: {
    title: "The sign-in was declined",
    detail: "Nobody was signed in. Try again, and allow it this time, or use another way.",
  },
  state: {
    title: "This sign-in was not begun here",
    detail: "It was begun in another browser, or it took too long. Start again from this page.",
  },
  code: {
    title: "This sign-in was used already",
    detail: "What the other site sent holds once, and for a short while. Start again.",
  },
  stale: {
    title: "The session that this was for has ended",
    detail: "Nothing was changed. Sign in, then start again.",
  },
  provider_down: {
    title: "The sign-in service cannot be reached",
    detail: "Nobody was signed in, and nothing was changed. Try again in a moment, or use another way.",
  },
  provider_error: {
    title: "The sign-in service gave an answer that makes no sense",
    detail: "Nobody was signed in. If it stays, tell the administrator of this Tokendesk: its log says more.",
  },
  unverified_email: {
    title: "Your e-mail address is not verified",
    detail: "Your company's sign-in service does not vouch for it, so nobody was signed in. Ask its administrator.",
  },
  other_person: {
    title: "That was somebody else",
    detail: "You came back as another person than the one who is signed in, so nothing was confirmed.",
  },
  not_fresh: {
    title: "You were not asked to sign in again",
    detail:
      "The sign-in service does not say that you have just signed in there, so nothing was confirmed. Sign out of it, then try again.",
  },
  account_not_allowed: {
    title: "This account may not sign in here",
    detail: "Your RingCX account is not one that this Tokendesk serves. Ask its administrator to allow it.",
  },
  password_reset_required: {
    title: "RingCX wants a new password first",
    detail: "Sign in to RingCX itself, set it, then come back.",
  },
  forbidden: {
    title: "This is not permitted",
    detail: "Nobody was signed in, and nothing was changed. Ask an administrator.",
  },
  link_unconfirmed: {
    title: "This is another person's name",
    detail: "Nothing was connected. Connect the account again, and say that it is yours.",
  },
  session_too_large: {
    title: "There is no room for this account",
    detail:
      "The encrypted cookie cannot hold it beside the others, so nothing was changed. Disconnect another one first.",
  },
  rate_limited: {
    title: "Too many sign-ins",
    detail: "Nothing was changed. Wait a minute, then try again.",
  },
};

const general: Text = {
  title: "The sign-in did not work",
  detail: "Nothing was changed. Try again; if it stays, tell the administrator of this Tokendesk.",
};

/** Of a word that is not known nothing is shown: it comes from the address. */
export function arrivalText(word: string): Text {
  return (Object.hasOwn(texts, word) ? texts[word] : undefined) ?? general;
}
