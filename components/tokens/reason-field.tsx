import { Field, TextInput } from "@/components/ui/field";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.confirm;

type ReasonFieldProps = { help: string; reason: string; readOnly?: boolean; onType: (reason: string) => void };

/** Why something is done, for the audit log. */
export function ReasonField({ help, reason, readOnly = false, onType }: ReasonFieldProps) {
  return (
    <Field label={texts.reason} optional help={help}>
      {(control) => (
        <TextInput
          {...control}
          value={reason}
          readOnly={readOnly}
          maxLength={500}
          autoComplete="off"
          onChange={(event) => onType(event.target.value)}
        />
      )}
    </Field>
  );
}
