"use client";

import { History, Trash2, Undo2 } from "lucide-react";
import { useRouter } from "next/navigation";
import { type TeamDialog, useTeamActions } from "@/components/team/team-actions";
import { historyPath } from "@/components/tokens/answers";
import { RowMenu } from "@/components/tokens/row-menu";
import { MenuItem, MenuSeparator } from "@/components/ui/menu";
import type { TeamToken } from "@/lib/team/schema";
import { teamTexts } from "@/lib/texts/team";
import { parseTokenQuery, tokenQueryString } from "@/lib/tokens/schema";

const texts = teamTexts.menu;

export function TeamRowActions({ token }: { token: TeamToken }) {
  const openDialog = useTeamActions();
  const router = useRouter();
  return (
    <RowMenu<TeamDialog> hint={token.hint} openDialog={openDialog}>
      {(choose) => (
        <>
          <MenuItem icon={<History />} onSelect={() => router.push(historyPath(token))}>
            {texts.history}
          </MenuItem>
          {token.status === "active" && (
            <>
              <MenuSeparator />
              {token.order ? (
                <MenuItem icon={<Undo2 />} onSelect={() => choose({ kind: "cancel", token })}>
                  {texts.cancelOrder}
                </MenuItem>
              ) : token.readiness === "now" ? (
                <MenuItem
                  icon={<Trash2 />}
                  onSelect={() => router.push(`/tokens${tokenQueryString(parseTokenQuery({ q: token.hint }))}`)}
                >
                  {texts.yours}
                </MenuItem>
              ) : (
                <MenuItem danger icon={<Trash2 />} onSelect={() => choose({ kind: "order", token })}>
                  {texts.order}
                </MenuItem>
              )}
            </>
          )}
        </>
      )}
    </RowMenu>
  );
}
