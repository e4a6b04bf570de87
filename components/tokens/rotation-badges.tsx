"use client";

import { createContext, useContext } from "react";
import { useTokenActions } from "@/components/tokens/token-actions";
import { tokensTexts } from "@/lib/texts/tokens";
import { type OwnRotation, type RotationPlace, rowKey, type Token } from "@/lib/tokens/schema";

const texts = tokensTexts.rotation;

const RotationsContext = createContext<readonly OwnRotation[]>([]);

/** The rotations that are under way, for the rows of the table. */
export const Rotations = RotationsContext.Provider;

/** What a token is to the rotations that are under way: it can replace one and be replaced by another. */
export function useRotationsOf(token: Token): { replacedBy: OwnRotation | null; replaces: OwnRotation | null } {
  const rotations = useContext(RotationsContext);
  const isToken = (connection: string | null, id: string) => rowKey({ connection, id }) === rowKey(token);
  return {
    replacedBy: rotations.find(({ connection, old }) => isToken(connection, old.id)) ?? null,
    replaces: rotations.find(({ connection, successor }) => isToken(connection, successor.id)) ?? null,
  };
}

/** `3 of 5 places done`; empty without any. */
export function placesDone(places: readonly RotationPlace[]): string {
  return places.length === 0 ? "" : texts.placesDone(places.filter(({ done }) => done).length, places.length);
}

export function RotationBadges({ token }: { token: Token }) {
  const open = useTokenActions();
  const { replacedBy, replaces } = useRotationsOf(token);
  if (!replacedBy && !replaces) return null;
  return (
    <span className="flex flex-wrap gap-1 pt-0.5">
      {replacedBy && (
        <Badge onOpen={() => open({ kind: "rotation", old: replacedBy })}>
          {texts.replaced(placesDone(replacedBy.places))}
        </Badge>
      )}
      {replaces && (
        <Badge onOpen={() => open({ kind: "rotation", old: replaces })}>{texts.replaces(replaces.old.hint)}</Badge>
      )}
    </span>
  );
}

function Badge({ onOpen, children }: { onOpen: () => void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      onClick={onOpen}
      className="inline-flex h-6 pointer-coarse:h-10 max-w-full items-center truncate rounded bg-accent-soft px-1.5 font-medium text-2xs text-accent underline-offset-2 hover:underline"
    >
      {children}
      <span className="sr-only">{texts.goOn}</span>
    </button>
  );
}
