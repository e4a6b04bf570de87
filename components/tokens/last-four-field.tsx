import { confirmsHint, lastFour } from "@/components/tokens/hint";
import { Field, TextInput } from "@/components/ui/field";

type LastFourFieldProps = { hint: string; typed: string; readOnly: boolean; onType: (typed: string) => void };

/** Confirms which token is meant. A pasted value is cut to its last four at once. */
export function LastFourField({ hint, typed, readOnly, onType }: LastFourFieldProps) {
  return (
    <Field label="Last four characters" help="Confirms that it is this one and not its neighbour." className="max-w-72">
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
