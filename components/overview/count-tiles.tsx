import clsx from "clsx";
import Link from "next/link";
import { attentionKinds, looks } from "@/components/overview/attention";
import { placeOfKind } from "@/components/overview/places";
import { formatCount } from "@/lib/format";
import type { Overview } from "@/lib/team/schema";
import { overviewTexts } from "@/lib/texts/overview";

const texts = overviewTexts.counts;

type CountTilesProps = { counts: Overview["counts"]; scope: Overview["scope"] };

export function CountTiles({ counts, scope }: CountTilesProps) {
  const all = scope === "own" ? "/tokens" : "/team";
  const tiles = [
    { name: texts.active, count: counts.active, href: all, urgent: false },
    ...attentionKinds.map((kind) => ({
      name: looks[kind].name,
      count: counts[kind],
      href: placeOfKind(kind, scope),
      urgent: looks[kind].ink === "text-danger",
    })),
  ];
  return (
    <ul aria-label={texts.label} className="grid grid-cols-2 gap-2 sm:grid-cols-3 xl:grid-cols-5 2xl:grid-cols-9">
      {tiles.map(({ name, count, href, urgent }) => (
        <li key={name} className="max-sm:last:col-span-2 xl:max-2xl:first:col-span-2">
          <Link
            href={href}
            prefetch={false}
            className="flex flex-col-reverse rounded-lg border border-line bg-surface px-3 py-2 transition-colors duration-100 hover:border-edge hover:bg-hover/40"
          >
            <span className="truncate text-dim text-xs">{name}</span>
            <span
              className={clsx(
                "font-semibold text-xl tabular-nums",
                count === 0 ? "text-faint" : urgent ? "text-danger" : "text-ink",
              )}
            >
              {formatCount(count)}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
