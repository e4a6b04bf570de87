"use client";

import { connectionName } from "@/components/connections/connection-text";
import { useSeveral } from "@/components/connections/listed";
import { SortSelect } from "@/components/data-table/sort-select";
import { useTokenSearch } from "@/components/tokens/token-search";
import { Select } from "@/components/ui/field";
import { tokensTexts } from "@/lib/texts/tokens";
import { dueDays, type TokenQuery, tokenStates } from "@/lib/tokens/schema";

const texts = tokensTexts.toolbar;

const sorts = [
  ["firstSeen desc", texts.sorts.newest],
  ["firstSeen asc", texts.sorts.oldest],
  ["label asc", texts.sorts.labelUp],
  ["label desc", texts.sorts.labelDown],
  ["rotateBy asc", texts.sorts.rotateBy],
  ["environment asc", texts.sorts.environment],
  ["hint asc", texts.sorts.token],
] as const;

const stateNames: Record<NonNullable<TokenQuery["state"]>, string> = {
  appeared: texts.states.appeared,
  ordered: texts.states.ordered,
  rotating: texts.states.rotating,
  overdue: texts.states.overdue,
  due: texts.states.due(dueDays),
};

type TokenToolbarProps = {
  query: TokenQuery;
  environments: string[];
  onQuery: (patch: Partial<TokenQuery>) => void;
};

export function TokenToolbar({ query, environments, onQuery }: TokenToolbarProps) {
  const several = useSeveral();
  const { box, note } = useTokenSearch({
    label: texts.search,
    q: query.q,
    onSearch: (q) => onQuery({ q, page: 1 }),
  });
  return (
    <search className="mb-3 block">
      <div className="flex flex-wrap items-center gap-2">
        {box}
        {several.length > 0 && (
          <Select
            aria-label={texts.connection}
            value={query.connection ?? ""}
            onChange={(event) => onQuery({ connection: event.target.value || null, page: 1 })}
            className="w-full sm:w-52"
          >
            <option value="">{texts.allConnections}</option>
            {several.map((connection) => (
              <option key={connection.id} value={connection.id}>
                {connectionName(connection)}
              </option>
            ))}
          </Select>
        )}
        <Select
          aria-label={texts.environment}
          value={query.environment ?? ""}
          onChange={(event) => onQuery({ environment: event.target.value || null, page: 1 })}
          className="w-[calc(50%-0.25rem)] sm:w-40"
        >
          <option value="">{texts.allEnvironments}</option>
          {[...new Set([...environments, ...(query.environment ? [query.environment] : [])])].map((environment) => (
            <option key={environment} value={environment}>
              {environment}
            </option>
          ))}
        </Select>
        <Select
          aria-label={texts.state}
          value={query.state ?? query.labelled ?? ""}
          onChange={(event) => onQuery({ ...chosen(event.target.value), page: 1 })}
          className="w-[calc(50%-0.25rem)] sm:w-40"
        >
          <option value="">{texts.anyState}</option>
          <option value="yes">{texts.labelled}</option>
          <option value="no">{texts.unlabelled}</option>
          {tokenStates.map((state) => (
            <option key={state} value={state}>
              {stateNames[state]}
            </option>
          ))}
        </Select>
        <SortSelect
          sort={query.sort}
          order={query.order}
          choices={sorts}
          onSort={(chosen) => onQuery({ ...chosen, page: 1 })}
        />
      </div>
      {note}
    </search>
  );
}

function chosen(value: string): Pick<TokenQuery, "labelled" | "state"> {
  if (value === "yes" || value === "no") return { labelled: value, state: null };
  return { labelled: null, state: tokenStates.find((state) => state === value) ?? null };
}
