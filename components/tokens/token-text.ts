import type { z } from "zod";
import type { TokenText, TokenTextErrors } from "@/components/tokens/token-fields";
import { tokensTexts } from "@/lib/texts/tokens";
import {
  editTokenSchema,
  type NewToken,
  newTokenSchema,
  rotateTokenSchema,
  type Token,
  type TokenPatch,
} from "@/lib/tokens/schema";

const texts = tokensTexts.fields;

export const emptyText: TokenText = { label: "", purpose: "", usedIn: "", environment: "", rotateBy: "" };

const names = Object.keys(emptyText) as (keyof TokenText)[];

export function textOf(token: Token): TokenText {
  return {
    label: token.label ?? "",
    purpose: token.purpose ?? "",
    usedIn: token.usedIn ?? "",
    environment: token.environment ?? "",
    rotateBy: token.rotateBy ?? "",
  };
}

export type Checked<T> = { body: T; errors: null } | { body: null; errors: TokenTextErrors };

/** What was typed, as the body of a creation or an adoption. */
export function newTokenBody(text: TokenText): Checked<NewToken> {
  return check(newTokenSchema, filled(text));
}

/** As the body of a rotation: what is left empty is taken over from the token that is replaced. */
export function rotationBody(text: TokenText): Checked<z.infer<typeof rotateTokenSchema>> {
  return check(rotateTokenSchema, filled(text));
}

export function hasChanged(text: TokenText, token: Token): boolean {
  return changes(text, token).length > 0;
}

/** Only what differs from the token; an emptied field becomes null. */
export function patchBody(text: TokenText, token: Token): Checked<TokenPatch> {
  const changed = changes(text, token);
  return check(editTokenSchema, Object.fromEntries(changed.map((name) => [name, text[name].trim() || null])));
}

function changes(text: TokenText, token: Token): (keyof TokenText)[] {
  const before = textOf(token);
  return names.filter((name) => text[name].trim() !== before[name]);
}

function filled(text: TokenText): Record<string, string> {
  return Object.fromEntries(names.filter((name) => text[name].trim() !== "").map((name) => [name, text[name].trim()]));
}

const messages: Required<TokenTextErrors> = texts.wrong;

function check<T>(schema: z.ZodType<T>, body: unknown): Checked<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { body: parsed.data, errors: null };
  const wrong = new Set(parsed.error.issues.map((issue) => issue.path[0]));
  return {
    body: null,
    errors: Object.fromEntries(names.filter((name) => wrong.has(name)).map((name) => [name, messages[name]])),
  };
}
