"use client";

import { Bookmark, BookmarkPlus, Check, ChevronDown, Link2, Pencil } from "lucide-react";
import { useRouter } from "next/navigation";
import { useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { useCopy } from "@/components/ui/copy-button";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "@/components/ui/menu";
import { linkTo, useSavedViews, type ViewPage } from "@/components/views/saved-views";
import { ViewsDialog } from "@/components/views/views-dialog";
import { viewsTexts } from "@/lib/texts/views";

const texts = viewsTexts.menu;

type ViewsMenuProps = {
  page: ViewPage;
  /** What is shown now, without the number of its page: `?q=ivr`. */
  query: string;
};

/** Opens, saves and edits the views of a page. */
export function ViewsMenu({ page, query }: ViewsMenuProps) {
  const router = useRouter();
  const copy = useCopy();
  const views = useSavedViews(page);
  const trigger = useRef<HTMLButtonElement>(null);
  const chosen = useRef<"save" | "edit" | null>(null);
  const [dialog, setDialog] = useState<"save" | "edit" | null>(null);

  return (
    <>
      <Menu
        trigger={
          <Button ref={trigger} aria-label={texts.label}>
            <Bookmark className="size-3.5 text-faint" aria-hidden="true" />
            <span className="max-sm:hidden">{texts.button}</span>
            <ChevronDown className="size-3.5 text-faint max-sm:hidden" aria-hidden="true" />
          </Button>
        }
        onCloseAutoFocus={(event) => {
          if (chosen.current === null) return;
          // The dialog opens once the menu is gone, from its trigger: there the focus comes back to.
          event.preventDefault();
          trigger.current?.focus();
          setDialog(chosen.current);
          chosen.current = null;
        }}
      >
        <div className="max-w-72">
          {views === null ? (
            <p className="max-w-60 px-2 py-1.5 text-dim text-xs">{texts.storageOff}</p>
          ) : (
            <>
              <MenuLabel>{views.length === 0 ? texts.none : texts.saved}</MenuLabel>
              {views.map((view) => (
                <MenuItem
                  key={view.name}
                  aria-current={view.query === query || undefined}
                  icon={view.query === query ? <Check className="text-accent" /> : <span />}
                  onSelect={() => router.push(`${page}${view.query}`)}
                >
                  <span className="truncate">{view.name}</span>
                </MenuItem>
              ))}
              <MenuSeparator />
              <MenuItem
                icon={<BookmarkPlus />}
                onSelect={() => {
                  chosen.current = "save";
                }}
              >
                {texts.save}
              </MenuItem>
              {views.length > 0 && (
                <MenuItem
                  icon={<Pencil />}
                  onSelect={() => {
                    chosen.current = "edit";
                  }}
                >
                  {texts.edit}
                </MenuItem>
              )}
            </>
          )}
          <MenuItem icon={<Link2 />} onSelect={() => copy(linkTo(page, query), texts.theLink)}>
            {texts.copyLink}
          </MenuItem>
        </div>
      </Menu>
      {dialog && (
        <ViewsDialog
          page={page}
          query={query}
          saving={dialog === "save"}
          views={views ?? []}
          onClose={() => setDialog(null)}
          returnFocus={() => trigger.current?.focus()}
        />
      )}
    </>
  );
}
