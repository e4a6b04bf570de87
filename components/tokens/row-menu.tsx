import { Ellipsis } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { buttonClass } from "@/components/ui/button";
import { Menu } from "@/components/ui/menu";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.menu;

type RowMenuProps<Dialog> = {
  hint: string;
  openDialog: (dialog: Dialog) => void;
  /** The items; `choose` names the dialog that follows. */
  children: (choose: (dialog: Dialog) => void) => ReactNode;
};

/** The menu of a token's row. A dialog opens once it is gone, from its trigger: there the focus comes back to. */
export function RowMenu<Dialog>({ hint, openDialog, children }: RowMenuProps<Dialog>) {
  const trigger = useRef<HTMLButtonElement>(null);
  const next = useRef<Dialog | null>(null);
  return (
    <Menu
      trigger={
        <button ref={trigger} type="button" aria-label={texts.label(hint)} className={buttonClass("ghost", "icon-sm")}>
          <Ellipsis className="size-4" aria-hidden="true" />
        </button>
      }
      onCloseAutoFocus={(event) => {
        if (!next.current) return;
        event.preventDefault();
        trigger.current?.focus();
        openDialog(next.current);
        next.current = null;
      }}
    >
      {children((dialog) => {
        next.current = dialog;
      })}
    </Menu>
  );
}
