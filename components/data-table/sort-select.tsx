import { Select } from "@/components/ui/field";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.table;

type SortSelectProps<Sort extends string> = {
  sort: Sort;
  order: "asc" | "desc";
  /** `[sort and order, name]`: `["label asc", "Label, A to Z"]`. */
  choices: readonly (readonly [`${Sort} ${"asc" | "desc"}`, string])[];
  onSort: (chosen: { sort: Sort; order: "asc" | "desc" }) => void;
};

/** The order of the rows where there are no columns to click on. */
export function SortSelect<Sort extends string>({ sort, order, choices, onSort }: SortSelectProps<Sort>) {
  return (
    <Select
      aria-label={texts.sortBy}
      value={`${sort} ${order}`}
      onChange={(event) => {
        const [by, direction] = event.target.value.split(" ") as [Sort, "asc" | "desc"];
        onSort({ sort: by, order: direction });
      }}
      className="w-full sm:w-44 md:hidden"
    >
      {choices.map(([value, name]) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </Select>
  );
}
