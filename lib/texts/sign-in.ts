import { formatSeconds } from "@/lib/format";

export const signInTexts = {
  view: {
    page: "Sign in",
    title: "Sign in to RingCX",
    withCompany: "With what your company uses, or with your RingCX password.",
    withPassword: "With the same credentials as in the RingCX admin portal.",
    needsScript: "Tokendesk needs JavaScript: switch it on for this site to sign in.",
    about: "About this sign-in",
    sandbox: "This is the sandbox",
    sandboxWhy:
      "It behaves like RingCX and holds invented tokens only. Its users and their passwords are listed in the README and in the terminal that runs it.",
    keeps: "What Tokendesk keeps",
    reasons: {
      expired: "Your session has ended. Sign in to go on where you were.",
      idle: "You were away for a while, so the session was closed. Sign in to go on where you were.",
      "signed-out": "You are signed out, here and at RingCX.",
      required: "Sign in to see that page.",
    },
    promises: [
      ["Password", "Sent to RingCX once, then forgotten. Never stored."],
      ["Session", "RingCX's session is kept encrypted in this browser's cookie and ends with Sign out."],
      ["API tokens", "Shown masked. A value is shown only when you ask, and is not kept."],
    ],
  },
  advice: {
    credentials:
      "A right password with another platform ID or host fails too. RingCX may lock a user after several tries.",
    upstream: "Nothing was changed.",
    tooLarge: "Your password is not the problem. Tell the administrator of this Tokendesk.",
    network: "Nothing was changed. Check the connection and try again.",
    internal: "If it stays, tell the administrator of this Tokendesk.",
  },
  doors: {
    through: (name: string) => `Continue with ${name}`,
    orPassword: "or with a RingCX password",
  },
  form: {
    username: "Username",
    password: "Password",
    platformId: "Platform ID",
    needed: (field: string) => `${field} is needed`,
    fillIn: (fields: string[]) =>
      `Fill in ${fields.length < 2 ? fields.join("") : `${fields.slice(0, -1).join(", ")} and ${fields.at(-1)}`}`,
    hide: "Hide characters",
    show: "Show characters",
    platformIdHelp: "The short code from RingCentral, such as aws80",
    host: "Host",
    legacy: "Legacy portal",
    stay: "Stay signed in for two weeks",
    stayHelp:
      "At the portal. Otherwise its session ends after an hour without use. Tokendesk's own limits hold as well.",
    remember: "Remember me on this device",
    rememberLegacyHelp: "Username and host, never the password",
    rememberHelp: "Username, platform ID and host, never the password",
    signIn: "Sign in",
    wait: (seconds: number) => `You can try again in ${formatSeconds(seconds)}`,
  },
  exchange: {
    page: "Sign in with RingCentral",
    titles: {
      sign_in: "Signing in with RingCentral",
      connect: "Connecting your RingCX account",
      confirm: "Confirming that it is you",
    },
    backToSignIn: "Back to sign-in",
    goBack: "Go back",
    notSignedIn: "You are not signed in",
    nothingChanged: "Nothing was changed",
    otherName: (identity: string, username: string) =>
      `You are signed in as ${identity}; this RingCX user is ${username}. Connect it only if it is yours.`,
    lost: {
      title: "RingCX gave no answer that makes sense",
      detail: "The answer of RingCX got lost, so you are not signed in. Try again: it takes a new place in the line.",
    },
    asking: "RingCentral has said who you are. Asking RingCX…",
    inLine: (place: number) => `You are number ${place} in line.`,
    keepOpen: "RingCX takes only a few of these a minute. Keep this page open: whoever leaves it loses the place.",
    about: (seconds: number) => `About ${formatSeconds(seconds)}`,
    mine: "It is mine: connect it",
  },
  arrival: {
    general: {
      title: "The sign-in did not work",
      detail: "Nothing was changed. Try again; if it stays, tell the administrator of this Tokendesk.",
    },
    problems: {
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
    },
  },
} as const;
