"use client";

import { createContext, useContext } from "react";
import { useTokenActions } from "@/components/tokens/token-actions";
import { plural } from "@/lib/format";
import type { Rotation, RotationPlace, Token } from "@/lib/tokens/schema";

const RotationsContext = createContext<readonly Rotation[]>([]);

/** The rotations that are under way, for the rows of the table. */
export const Rotations = RotationsContext.Provider;

/** What a token is to the rotations that are under way: it can replace one and be replaced by another. */
export function useRotationsOf(token: Token): { replacedBy: Rotation | null; replaces: Rotation | null } {
  const rotations = useContext(RotationsContext);
  return {
    replacedBy: rotations.find(({ old }) => old.id === token.id) ?? null,
    replaces: rotations.find(({ successor }) => successor.id === token.id) ?? null,
  };
}

/** `3 of 5 places done`; empty without any. */
export function placesDone(places: readonly RotationPlace[]): string {
  return places.length === 0
    ? ""
    : `${places.filter(({ done }) => done).length} of ${plural(places.length, "place")} done`;
}

export function RotationBadges({ token }: { token: Token }) {
  const open = useTokenActions();
  const { replacedBy, replaces } = useRotationsOf(token);
  if (!replacedBy && !replaces) return null;
  return (
    <span className="flex flex-wrap gap-1 pt-0.5">
      {replacedBy && (
        <Badge onOpen={() => open({ kind: "rotation", oldId: replacedBy.old.id })}>
          {["Being replaced", placesDone(replacedBy.places)].filter(Boolean).join(", ")}
        </Badge>
      )}
      {replaces && (
        <Badge onOpen={() => open({ kind: "rotation", oldId: replaces.old.id })}>Replaces {replaces.old.hint}</Badge>
      )}
    </span>
  );
}

function Badge({ onOpen, children }: { onOpen: () => void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      onClick={onOpen}
      className="inline-flex h-6 max-w-full items-center truncate rounded bg-accent-soft px-1.5 font-medium text-2xs text-accent underline-offset-2 hover:underline"
    >
      {children}
      <span className="sr-only">: continue the rotation</span>
    </button>
  );
}
