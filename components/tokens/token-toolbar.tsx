"use client";

import { connectionName } from "@/components/connections/connection-text";
import { useSeveral } from "@/components/connections/listed";
import { SortSelect } from "@/components/data-table/sort-select";
import { useTokenSearch } from "@/components/tokens/token-search";
import { Select } from "@/components/ui/field";
import { dueDays, type TokenQuery, tokenStates } from "@/lib/tokens/schema";

const sorts = [
  ["firstSeen desc", "Newest first seen"],
  ["firstSeen asc", "Oldest first seen"],
  ["label asc", "Label, A to Z"],
  ["label desc", "Label, Z to A"],
  ["rotateBy asc", "Rotate by, soonest"],
  ["environment asc", "Environment"],
  ["hint asc", "Token"],
] as const;

const stateNames: Record<NonNullable<TokenQuery["state"]>, string> = {
  appeared: "Appeared outside Tokendesk",
  ordered: "Ordered to be revoked",
  rotating: "Being rotated",
  overdue: "Overdue",
  due: `Due within ${dueDays} days`,
};

type TokenToolbarProps = {
  query: TokenQuery;
  environments: string[];
  onQuery: (patch: Partial<TokenQuery>) => void;
};

export function TokenToolbar({ query, environments, onQuery }: TokenToolbarProps) {
  const several = useSeveral();
  const { box, note } = useTokenSearch({
    label: "Search tokens",
    q: query.q,
    onSearch: (q) => onQuery({ q, page: 1 }),
  });
  return (
    <search className="mb-3 block">
      <div className="flex flex-wrap items-center gap-2">
        {box}
        {several.length > 0 && (
          <Select
            aria-label="Show tokens through"
            value={query.connection ?? ""}
            onChange={(event) => onQuery({ connection: event.target.value || null, page: 1 })}
            className="w-full sm:w-52"
          >
            <option value="">All connections</option>
            {several.map((connection) => (
              <option key={connection.id} value={connection.id}>
                {connectionName(connection)}
              </option>
            ))}
          </Select>
        )}
        <Select
          aria-label="Show tokens of"
          value={query.environment ?? ""}
          onChange={(event) => onQuery({ environment: event.target.value || null, page: 1 })}
          className="w-[calc(50%-0.25rem)] sm:w-40"
        >
          <option value="">All environments</option>
          {[...new Set([...environments, ...(query.environment ? [query.environment] : [])])].map((environment) => (
            <option key={environment} value={environment}>
              {environment}
            </option>
          ))}
        </Select>
        <Select
          aria-label="Show tokens that are"
          value={query.state ?? query.labelled ?? ""}
          onChange={(event) => onQuery({ ...chosen(event.target.value), page: 1 })}
          className="w-[calc(50%-0.25rem)] sm:w-40"
        >
          <option value="">In any state</option>
          <option value="yes">Labelled</option>
          <option value="no">Unlabelled</option>
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
