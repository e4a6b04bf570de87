import "server-only";
import { z } from "zod";
import type { SubAccount } from "@/lib/accounts/schema";

/**
 * The upstream's shapes (ringcx/openapi-excerpt.json), and their conversion to ours. Each schema names the
 * fields that are used and drops the rest: an `Account` holds passwords, a `UserLoginView` a credential.
 * Strict where a wrong value could do harm, tolerant of everything else.
 */

const id = z.union([z.string().trim().min(1).max(100), z.number().int().transform(String)]);

/** An empty or unusable text is as good as an absent one. */
const optionalId = id.nullish().catch(null);

const flag = z.literal([true, "true", 1, "1"]).optional().catch(undefined);

/** What can go into a header: one line, no space. */
const credential = z
  .string()
  .regex(/^[\x21-\x7e]+$/)
  .max(64 * 1024);

/** It goes into a form body or, percent-encoded, into a path: any text will do. */
const refreshToken = z
  .string()
  .max(64 * 1024)
  .nullish()
  .transform((text) => text || null);

/** What RingCX issued at sign-in or refresh. */
export type Grant = {
  accessToken: string;
  /** Absent when the exchange was made without `includeRefresh=true`. */
  refreshToken: string | null;
  /** Lifetime of the access token in milliseconds. */
  lifetimeMs: number;
};

export type SignInAnswer = Grant & {
  mainAccountId: string;
  platformId: string | null;
  adminId: string | null;
  displayName: string | null;
  passwordResetRequired: boolean;
  /** The sign-in came from RingEX. */
  ssoLogin: boolean;
};

const person = z.object({ firstName: z.string().nullish(), lastName: z.string().nullish() });

export const signInAnswer = z
  .object({
    accessToken: credential,
    refreshToken,
    mainAccountId: id,
    platformId: optionalId,
    adminId: optionalId,
    agentDetails: z.array(person).nullish().catch(null),
    rcUser: person.nullish().catch(null),
    ssoLogin: flag,
    isAdminPasswordReset: flag,
    adminPasswordReset: flag,
  })
  .transform((answer): SignInAnswer => {
    const displayName = fullName(answer.agentDetails?.[0]) ?? fullName(answer.rcUser);
    return {
      accessToken: answer.accessToken,
      refreshToken: answer.refreshToken,
      lifetimeMs: accessTokenLifetime(answer.accessToken),
      mainAccountId: answer.mainAccountId,
      platformId: answer.platformId ?? null,
      adminId: answer.adminId ?? null,
      displayName,
      passwordResetRequired: (answer.isAdminPasswordReset ?? answer.adminPasswordReset) !== undefined,
      ssoLogin: answer.ssoLogin !== undefined,
    };
  });

function fullName(of: z.infer<typeof person> | null | undefined): string | null {
  return [of?.firstName, of?.lastName].filter(Boolean).join(" ").trim().slice(0, 100) || null;
}

export const refreshAnswer = z.object({ accessToken: credential, refreshToken }).transform(
  (answer): Grant => ({
    accessToken: answer.accessToken,
    refreshToken: answer.refreshToken,
    lifetimeMs: accessTokenLifetime(answer.accessToken),
  }),
);

const defaultLifetimeMs = 5 * 60_000;

/**
 * `exp - iat` of the JWT, read without verification: it only plans the refresh, and a difference is immune to
 * clocks that disagree. Five minutes (the documented lifetime) when the token does not say.
 */
function accessTokenLifetime(accessToken: string): number {
  try {
    const payload: unknown = JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString("utf8"));
    const { exp, iat } = z.object({ exp: z.number(), iat: z.number() }).parse(payload);
    const lifetime = Math.floor((exp - iat) * 1000);
    return lifetime > 0 && lifetime <= 24 * 3_600_000 ? lifetime : defaultLifetimeMs;
  } catch {
    return defaultLifetimeMs;
  }
}

/**
 * An API token value. The vendor shows `aws80:c2353445-bc74-af1a-2850-1d55a371c0a9` and does not define the
 * form; it goes into a path and a header, so it must be one printable word that no URL parser takes for a dot segment.
 */
export const tokenValue = z
  .string()
  .trim()
  .regex(/^(?!\.+$)[\x21-\x7e]{1,512}$/);

/** The form that the vendor shows: a platform ID and a UUID. */
export const documentedTokenValue = /^[A-Za-z0-9][\w-]{0,31}:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A list of which single entries may be unusable: who cannot read one must still be able to revoke the others. */
export type PartialList<T> = { items: T[]; unreadable: number };

/** Entry by entry. A list without one readable entry is none. */
function partialList<T>(entry: z.ZodType<T>) {
  return z.array(z.unknown()).transform((entries, context): PartialList<T> => {
    const items = entries.flatMap((candidate) => {
      const parsed = entry.safeParse(candidate);
      return parsed.success ? [parsed.data] : [];
    });
    if (items.length === 0 && entries.length > 0) {
      context.addIssue({ code: "custom", message: "no entry is readable" });
      return z.NEVER;
    }
    return { items, unreadable: entries.length - items.length };
  });
}

/** Some gateways write a token as a JSON string once more, in quotes; other values are what they are, to the letter. */
const listedTokenValue = tokenValue.transform((value) => {
  const [, inner = ""] = /^"(.*)"$/.exec(value) ?? [];
  return documentedTokenValue.test(inner) ? inner : value;
});

export const tokenValueList = partialList(listedTokenValue).transform(({ items, unreadable }) => ({
  items: [...new Set(items)],
  unreadable,
}));

const name = z
  .union([z.string(), z.number().transform(String)])
  .nullish()
  .catch(null);

const accountAnswer = z
  .object({
    accountId: id,
    accountName: name,
    mainAccountId: optionalId,
    mainAccountName: name,
    mainAccount: z.object({ mainAccountId: optionalId, mainAccountName: name }).nullish().catch(null),
  })
  .transform((account): SubAccount => {
    const mainAccountId = account.mainAccountId ?? account.mainAccount?.mainAccountId ?? account.accountId;
    return {
      accountId: account.accountId,
      accountName: account.accountName?.trim() || account.accountId,
      mainAccountId,
      mainAccountName: account.mainAccountName?.trim() || account.mainAccount?.mainAccountName?.trim() || mainAccountId,
    };
  });

export const accountList = partialList(accountAnswer);

/** A RingCX user as the vendor's list of users names them. */
export type VendorUser = { userId: string; login: string | null; name: string; enabled: boolean };

type UserEntry = {
  userId: string;
  userName: string | null;
  firstName: string | null;
  lastName: string | null;
  enabled: boolean;
  children: unknown[];
};

const userEntry: z.ZodType<UserEntry> = z.object({
  userId: id,
  userName: optionalId.transform((text) => text ?? null),
  firstName: optionalId.transform((text) => text ?? null),
  lastName: optionalId.transform((text) => text ?? null),
  // Only the vendor's clear word says that a user is gone.
  enabled: z.unknown().transform((value) => value !== false && value !== "false" && value !== 0),
  children: z
    .array(z.unknown())
    .nullish()
    .catch([])
    .transform((children) => children ?? []),
});

/** Flat, whether the vendor flattened it or not. */
export const vendorUserList = z.array(z.unknown()).transform((entries): PartialList<VendorUser> => {
  const items = new Map<string, VendorUser>();
  let unreadable = 0;
  const queue = [...entries];
  // A child is looked at once, whatever circle the answer makes.
  while (queue.length > 0) {
    const parsed = userEntry.safeParse(queue.shift());
    if (!parsed.success) {
      unreadable += 1;
      continue;
    }
    const { userId, userName, firstName, lastName, enabled, children } = parsed.data;
    const name = [firstName, lastName].filter(Boolean).join(" ").slice(0, 100);
    if (!items.has(userId)) {
      items.set(userId, {
        userId,
        login: userName?.toLowerCase() ?? null,
        name: name || (userName ?? userId),
        enabled,
      });
      queue.push(...children);
    }
  }
  return { items: [...items.values()], unreadable };
});

/** Who a token acts for, as `admin/auth` tells. Its `authToken` is a credential: it ends here. */
export type TokenHolder = {
  userId: string;
  login: string | null;
  name: string;
  enabled: boolean;
  /** `SUPER_USER`, `MANAGE_USERS`, ... as the vendor names them. */
  roles: string[];
};

const roleName = z.object({ roleType: z.string().trim().min(1).max(100) });

export const tokenHolder = z.object({ user: z.unknown() }).transform(({ user }, context): TokenHolder => {
  const parsed = userEntry.safeParse(user);
  if (!parsed.success) {
    context.addIssue({ code: "custom", message: "no user" });
    return z.NEVER;
  }
  const { userId, userName, firstName, lastName, enabled } = parsed.data;
  const given = z.object({ roles: z.array(z.unknown()).nullish().catch(null) }).safeParse(user).data?.roles ?? [];
  const roles = given.flatMap((role) => roleName.safeParse(role).data?.roleType ?? []);
  const fullName = [firstName, lastName].filter(Boolean).join(" ").slice(0, 100);
  return {
    userId,
    login: userName?.toLowerCase() ?? null,
    name: fullName || (userName ?? userId),
    enabled,
    roles: [...new Set(roles)].slice(0, 50),
  };
});

/** What a legacy portal says at sign-in, and nothing of it besides: a `UserLoginView`. */
export type LegacyAnswer = {
  authToken: string;
  userId: string | null;
  /** In lower case. */
  login: string | null;
  displayName: string | null;
  /** No field of the documented answer; taken where it stands. */
  platformId: string | null;
  mainAccountId: string | null;
  /** The user's account at RingCentral. */
  rcAccountId: string | null;
};

const legacyUser = z
  .object({
    userId: optionalId,
    userName: optionalId,
    firstName: optionalId,
    lastName: optionalId,
    rcAccountId: optionalId,
  })
  .nullish()
  .catch(null);

const someAccounts = z.array(z.unknown()).nullish().catch(null);

export const legacyAnswer = z
  .object({ authToken: credential, user: legacyUser, accounts: someAccounts, platformId: optionalId })
  .transform(({ authToken, user, accounts, platformId }): LegacyAnswer => {
    const rcAccountId = user?.rcAccountId ?? null;
    return {
      authToken,
      userId: user?.userId ?? null,
      login: user?.userName?.toLowerCase() ?? null,
      displayName: fullName(user),
      platformId: platformId ?? null,
      mainAccountId: mainAccountOf(accounts ?? [], rcAccountId),
      rcAccountId,
    };
  });

/** The main account that `GET admin/accounts` says, for a user of that RingCentral account; null: it says none. */
export function homeAmong(rcAccountId: string | null) {
  return z.array(z.unknown()).transform((accounts) => mainAccountOf(accounts, rcAccountId));
}

const membership = z.object({
  mainAccountId: optionalId,
  rcAccountId: optionalId,
  mainAccount: z.object({ mainAccountId: optionalId }).nullish().catch(null),
});

/**
 * The main account of these accounts; where they have several, the one of the user's RingCentral account, else the first
 * by ID: a tenant that depended on their order would not be one.
 */
function mainAccountOf(accounts: readonly unknown[], rcAccountId: string | null): string | null {
  const memberships = accounts.flatMap((account) => {
    const { data } = membership.safeParse(account);
    const mainAccountId = data?.mainAccountId ?? data?.mainAccount?.mainAccountId;
    return data && mainAccountId ? [{ mainAccountId, rcAccountId: data.rcAccountId ?? null }] : [];
  });
  const own = memberships.filter((one) => rcAccountId !== null && one.rcAccountId === rcAccountId);
  const ids = (own.length > 0 ? own : memberships).map(({ mainAccountId }) => mainAccountId);
  return ids.sort((a, b) => a.localeCompare(b, "en", { numeric: true }))[0] ?? null;
}

/** Who signed in with RingEX, by its `extension/~`. */
export const ringexExtension = z
  .object({
    id,
    name: optionalId,
    contact: person.extend({ email: optionalId }).nullish().catch(null),
  })
  .transform((extension) => ({
    extensionId: extension.id,
    name: extension.name?.slice(0, 100) ?? fullName(extension.contact),
    email: extension.contact?.email ?? null,
  }));

/** The account of who signed in with RingEX, by its `account/~`. */
export const ringexAccount = z.object({ id }).transform((account) => account.id);

/** A line of the vendor's audit log. `at`: epoch milliseconds. Entities and values stay behind: they may hold secrets. */
export type VendorChange = { at: number; action: string; what: string; userId: string | null; login: string | null };

const vendorChange = z
  .object({
    createTime: z.number().int(),
    actionType: name,
    description: name,
    authUser: z.object({ userId: optionalId, userName: optionalId }).nullish().catch(null),
  })
  .transform(
    ({ createTime, actionType, description, authUser }): VendorChange => ({
      at: createTime,
      action: (actionType ?? "").slice(0, 50),
      what: (description ?? "").slice(0, 300),
      userId: authUser?.userId ?? null,
      login: authUser?.userName?.toLowerCase() ?? null,
    }),
  );

export const vendorChangeList = partialList(vendorChange);
