"use client";

import { Check, Copy, Eye, History, ListChecks, Pencil, RotateCw, Trash2 } from "lucide-react";
import { useRouter } from "next/navigation";
import { useHistoryPath } from "@/components/tokens/history-link";
import { useRotationsOf } from "@/components/tokens/rotation-badges";
import { RowMenu } from "@/components/tokens/row-menu";
import { type TokenDialog, useTokenActions } from "@/components/tokens/token-actions";
import { useCopy } from "@/components/ui/copy-button";
import { MenuItem, MenuSeparator } from "@/components/ui/menu";
import { tokensTexts } from "@/lib/texts/tokens";
import type { Token } from "@/lib/tokens/schema";

const texts = tokensTexts.menu;

export function RowActions({ token }: { token: Token }) {
  const openDialog = useTokenActions();
  const { replacedBy, replaces } = useRotationsOf(token);
  const rotation = replacedBy ?? replaces;
  const router = useRouter();
  const history = useHistoryPath(token);
  const copy = useCopy();

  return (
    <RowMenu<TokenDialog> hint={token.hint} openDialog={openDialog}>
      {(choose) => (
        <>
          {(token.appearedAt === null ? ordinary : [...ordinary, "adopt" as const]).map((kind) => {
            const { name, icon: Icon } = verbs[kind];
            return (
              <MenuItem key={kind} icon={<Icon />} onSelect={() => choose({ kind, token })}>
                {name}
              </MenuItem>
            );
          })}
          {rotation && (
            <MenuItem icon={<ListChecks />} onSelect={() => choose({ kind: "rotation", old: rotation })}>
              {texts.continueRotation}
            </MenuItem>
          )}
          <MenuItem icon={<History />} onSelect={() => router.push(history)}>
            {texts.history}
          </MenuItem>
          <MenuSeparator />
          <MenuItem icon={<Copy />} onSelect={() => copy(token.hint, texts.theHint, token.hint)}>
            {texts.copyHint}
          </MenuItem>
          <MenuItem icon={<Copy />} onSelect={() => copy(token.id, texts.theId, token.id)}>
            {texts.copyId}
          </MenuItem>
          <MenuSeparator />
          <MenuItem danger icon={<Trash2 />} onSelect={() => choose({ kind: "revoke", token })}>
            {texts.revoke}
          </MenuItem>
        </>
      )}
    </RowMenu>
  );
}

const ordinary = ["reveal", "edit", "rotate"] as const;

const verbs = {
  reveal: { name: texts.reveal, icon: Eye },
  edit: { name: texts.edit, icon: Pencil },
  adopt: { name: texts.adopt, icon: Check },
  rotate: { name: texts.rotate, icon: RotateCw },
} as const;
