"use client";

import { Check, Copy, Ellipsis, Eye, History, Pencil, RotateCw, Trash2 } from "lucide-react";
import { useRouter } from "next/navigation";
import { useRef } from "react";
import { historyPath } from "@/components/tokens/answers";
import { type TokenDialog, useTokenActions } from "@/components/tokens/token-actions";
import { buttonClass } from "@/components/ui/button";
import { copyText } from "@/components/ui/clipboard";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import { useToast } from "@/components/ui/toast";
import type { Token } from "@/lib/tokens/schema";

export function RowActions({ token }: { token: Token }) {
  const openDialog = useTokenActions();
  const router = useRouter();
  const toast = useToast();
  const trigger = useRef<HTMLButtonElement>(null);
  const next = useRef<TokenDialog | null>(null);

  async function copy(text: string, what: string) {
    const done = await copyText(text);
    toast(
      done
        ? { title: `Copied ${what}`, detail: text }
        : { title: `Could not copy ${what}`, detail: text, tone: "danger" },
    );
  }

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
      {(token.appearedAt === null ? ordinary : [...ordinary, "adopt" as const]).map((kind) => {
        const { name, icon: Icon } = verbs[kind];
        return (
          <MenuItem
            key={kind}
            icon={<Icon />}
            onSelect={() => {
              next.current = { kind, token };
            }}
          >
            {name}
          </MenuItem>
        );
      })}
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
      <MenuItem
        danger
        icon={<Trash2 />}
        onSelect={() => {
          next.current = { kind: "revoke", token };
        }}
      >
        Revoke
      </MenuItem>
    </Menu>
  );
}

const ordinary = ["reveal", "edit", "rotate"] as const;

const verbs = {
  reveal: { name: "Reveal", icon: Eye },
  edit: { name: "Edit", icon: Pencil },
  adopt: { name: "Adopt", icon: Check },
  rotate: { name: "Rotate", icon: RotateCw },
} as const;
