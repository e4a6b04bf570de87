import { type ComponentProps, type FormEvent, type ReactNode, useId } from "react";
import type { Failure } from "@/components/http";
import { TokenFields } from "@/components/tokens/token-fields";
import { TokenHint } from "@/components/tokens/token-hint";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { uiTexts } from "@/lib/texts/ui";

type TokenFormDialogProps = {
  title: string;
  hint: string;
  /** Follows the hint. */
  description: ReactNode;
  /** What the button that sends it says. */
  verb: string;
  fields: ComponentProps<typeof TokenFields>;
  pending: boolean;
  failure: Failure | null;
  onSubmit: (event: FormEvent) => void;
  onClose: () => void;
  returnFocus: () => void;
};

/** What people say of a token that exists. */
export function TokenFormDialog(props: TokenFormDialogProps) {
  const { title, hint, description, verb, fields, pending, failure, onSubmit, onClose, returnFocus } = props;
  const formId = useId();
  return (
    <Dialog
      title={title}
      description={
        <>
          <TokenHint hint={hint} /> <span aria-hidden="true">·</span> {description}
        </>
      }
      onClose={() => pending || onClose()}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose} disabled={pending}>
            {uiTexts.actions.cancel}
          </Button>
          <Button type="submit" form={formId} variant="primary" pending={pending}>
            {verb}
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={onSubmit} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenFields {...fields} />
      </form>
    </Dialog>
  );
}
