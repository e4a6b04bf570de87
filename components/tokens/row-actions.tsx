"use client";

import { Check, Copy, Eye, History, ListChecks, Pencil, RotateCw, Trash2 } from "lucide-react";
import { useRouter } from "next/navigation";
import { historyPath } from "@/components/tokens/answers";
import { useRotationsOf } from "@/components/tokens/rotation-badges";
import { RowMenu } from "@/components/tokens/row-menu";
import { type TokenDialog, useTokenActions } from "@/components/tokens/token-actions";
import { copyText } from "@/components/ui/clipboard";
import { MenuItem, MenuSeparator } from "@/components/ui/menu";
import { useToast } from "@/components/ui/toast";
import type { Token } from "@/lib/tokens/schema";

export function RowActions({ token }: { token: Token }) {
  const openDialog = useTokenActions();
  const { replacedBy, replaces } = useRotationsOf(token);
  const rotation = replacedBy ?? replaces;
  const router = useRouter();
  const toast = useToast();

  async function copy(text: string, what: string) {
    const done = await copyText(text);
    toast(
      done
        ? { title: `Copied ${what}`, detail: text }
        : { title: `Could not copy ${what}`, detail: text, tone: "danger" },
    );
  }

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
            <MenuItem icon={<ListChecks />} onSelect={() => choose({ kind: "rotation", oldId: rotation.old.id })}>
              Continue rotation
            </MenuItem>
          )}
          <MenuItem icon={<History />} onSelect={() => router.push(historyPath(token))}>
            History
          </MenuItem>
          <MenuSeparator />
          <MenuItem icon={<Copy />} onSelect={() => copy(token.hint, "hint")}>
            Copy hint
          </MenuItem>
          <MenuItem icon={<Copy />} onSelect={() => copy(token.id, "ID")}>
            Copy ID
          </MenuItem>
          <MenuSeparator />
          <MenuItem danger icon={<Trash2 />} onSelect={() => choose({ kind: "revoke", token })}>
            Revoke
          </MenuItem>
        </>
      )}
    </RowMenu>
  );
}

const ordinary = ["reveal", "edit", "rotate"] as const;

const verbs = {
  reveal: { name: "Reveal", icon: Eye },
  edit: { name: "Edit", icon: Pencil },
  adopt: { name: "Adopt", icon: Check },
  rotate: { name: "Rotate", icon: RotateCw },
} as const;
