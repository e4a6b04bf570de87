"use client";

import { createContext, useContext } from "react";
import type { RotationSide, Token } from "@/lib/tokens/schema";

export type TokenDialog =
  | { kind: "new" }
  | { kind: "reveal" | "edit" | "adopt" | "rotate" | "revoke"; token: Token }
  /** The rotation that replaces this token. */
  | { kind: "rotation"; old: { connection: string | null; old: Pick<RotationSide, "id"> } }
  | { kind: "revoke-selected"; tokens: readonly Token[] };

const TokenActionsContext = createContext<(dialog: TokenDialog) => void>(() => {});

export const TokenActions = TokenActionsContext.Provider;

/** Opens a dialog of the tokens view, from any depth of its table. */
export function useTokenActions(): (dialog: TokenDialog) => void {
  return useContext(TokenActionsContext);
}
