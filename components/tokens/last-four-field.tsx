import { confirmsHint, lastFour } from "@/components/tokens/hint";
import { Field, TextInput } from "@/components/ui/field";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.confirm;

type LastFourFieldProps = { hint: string; typed: string; readOnly: boolean; onType: (typed: string) => void };

/** Confirms which token is meant. A pasted value is cut to its last four at once. */
export function LastFourField({ hint, typed, readOnly, onType }: LastFourFieldProps) {
  return (
    <Field label={texts.lastFour} help={texts.lastFourHelp} className="max-w-72">
      {(control) => (
        <TextInput
          {...control}
          value={typed}
          readOnly={readOnly}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          className="font-mono"
          onChange={({ target }) => onType(confirmsHint(target.value, hint) ? lastFour(hint) : target.value)}
        />
      )}
    </Field>
  );
}
