"use client";

import { createContext, useContext } from "react";
import type { TeamToken } from "@/lib/team/schema";

export type TeamDialog = { kind: "order" | "cancel"; token: TeamToken };

const TeamActionsContext = createContext<(dialog: TeamDialog) => void>(() => {});

export const TeamActions = TeamActionsContext.Provider;

/** Opens a dialog of the team view, from any depth of its table. */
export function useTeamActions(): (dialog: TeamDialog) => void {
  return useContext(TeamActionsContext);
}
