"use client";

import { Ellipsis, History, Trash2, Undo2 } from "lucide-react";
import { useRouter } from "next/navigation";
import { useRef } from "react";
import { type TeamDialog, useTeamActions } from "@/components/team/team-actions";
import { historyPath } from "@/components/tokens/answers";
import { buttonClass } from "@/components/ui/button";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import type { TeamToken } from "@/lib/team/schema";
import { parseTokenQuery, tokenQueryString } from "@/lib/tokens/schema";

export function TeamRowActions({ token }: { token: TeamToken }) {
  const openDialog = useTeamActions();
  const router = useRouter();
  const trigger = useRef<HTMLButtonElement>(null);
  const next = useRef<TeamDialog | null>(null);
  const choose = (kind: TeamDialog["kind"]) => () => {
    next.current = { kind, token };
  };
  return (
    <Menu
      trigger={
        <button
          ref={trigger}
          type="button"
          aria-label={`Actions for ${token.hint}`}
          className={buttonClass("ghost", "icon-sm")}
        >
          <Ellipsis className="size-4" aria-hidden="true" />
        </button>
      }
      onCloseAutoFocus={(event) => {
        if (!next.current) return;
        // The dialog opens once the menu is gone, from its trigger: there the focus comes back to.
        event.preventDefault();
        trigger.current?.focus();
        openDialog(next.current);
        next.current = null;
      }}
    >
      <MenuItem icon={<History />} onSelect={() => router.push(historyPath(token))}>
        History
      </MenuItem>
      {token.status === "active" && (
        <>
          <MenuSeparator />
          {token.order ? (
            <MenuItem icon={<Undo2 />} onSelect={choose("cancel")}>
              Cancel order
            </MenuItem>
          ) : token.readiness === "now" ? (
            <MenuItem
              icon={<Trash2 />}
              onSelect={() => router.push(`/tokens${tokenQueryString(parseTokenQuery({ q: token.hint }))}`)}
            >
              Yours: revoke it in Tokens
            </MenuItem>
          ) : (
            <MenuItem danger icon={<Trash2 />} onSelect={choose("order")}>
              Order revocation
            </MenuItem>
          )}
        </>
      )}
    </Menu>
  );
}
