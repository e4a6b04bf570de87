import clsx from "clsx";
import {
  CalendarClock,
  CalendarX,
  CircleCheck,
  CircleHelp,
  CircleMinus,
  CirclePlus,
  Hourglass,
  type LucideIcon,
  RefreshCw,
  Tag,
} from "lucide-react";
import Link from "next/link";
import { placeOfKind, placeOfToken } from "@/components/overview/places";
import { TokenHint } from "@/components/tokens/token-hint";
import { buttonClass } from "@/components/ui/button";
import { Time } from "@/components/ui/time";
import { type AttentionItem, type AttentionKind, attentionShown, type Overview } from "@/lib/team/schema";
import { overviewTexts } from "@/lib/texts/overview";

const texts = overviewTexts.attention;

type Look = {
  name: string;
  icon: LucideIcon;
  ink: string;
  /** What the link says, of one's own tokens and of those of others. */
  action: Record<Overview["scope"], string>;
};

export const looks: Record<AttentionKind, Look> = {
  unknown_outcome: {
    name: texts.kinds.unknown_outcome.name,
    icon: CircleHelp,
    ink: "text-danger",
    action: { own: texts.kinds.unknown_outcome.own, account: texts.kinds.unknown_outcome.account },
  },
  appeared: {
    name: texts.kinds.appeared.name,
    icon: CirclePlus,
    ink: "text-warn",
    action: { own: texts.kinds.appeared.own, account: texts.kinds.appeared.account },
  },
  order_pending: {
    name: texts.kinds.order_pending.name,
    icon: Hourglass,
    ink: "text-warn",
    action: { own: texts.kinds.order_pending.own, account: texts.kinds.order_pending.account },
  },
  rotation: {
    name: texts.kinds.rotation.name,
    icon: RefreshCw,
    ink: "text-accent",
    action: { own: texts.kinds.rotation.own, account: texts.kinds.rotation.account },
  },
  overdue: {
    name: texts.kinds.overdue.name,
    icon: CalendarX,
    ink: "text-danger",
    action: { own: texts.kinds.overdue.own, account: texts.kinds.overdue.account },
  },
  vanished: {
    name: texts.kinds.vanished.name,
    icon: CircleMinus,
    ink: "text-faint",
    action: { own: texts.kinds.vanished.own, account: texts.kinds.vanished.account },
  },
  unlabelled: {
    name: texts.kinds.unlabelled.name,
    icon: Tag,
    ink: "text-faint",
    action: { own: texts.kinds.unlabelled.own, account: texts.kinds.unlabelled.account },
  },
  due_soon: {
    name: texts.kinds.due_soon.name,
    icon: CalendarClock,
    ink: "text-accent",
    action: { own: texts.kinds.due_soon.own, account: texts.kinds.due_soon.account },
  },
};

/** The order in which things are urgent. */
export const attentionKinds = Object.keys(looks) as AttentionKind[];

const shownAtFirst = 8;

type AttentionProps = { items: AttentionItem[]; scope: Overview["scope"]; counts: Overview["counts"]; live: boolean };

/** What "nothing" is about: nobody's list can be known but those that Tokendesk has seen. */
function nothing(scope: Overview["scope"], live: boolean): string {
  if (scope === "account") return texts.nothing.account;
  return live ? texts.nothing.ownLive : texts.nothing.ownRemembered;
}

export function Attention({ items, scope, counts, live }: AttentionProps) {
  const cut = items.length >= attentionShown;
  const list = (some: AttentionItem[], start = 1) => (
    <ol start={start} className="divide-y divide-line">
      {some.map((item) => (
        <Item key={`${item.kind} ${item.token?.id} ${item.at}`} item={item} scope={scope} />
      ))}
    </ol>
  );
  return (
    <section aria-labelledby="needs-attention" className="overflow-hidden rounded-lg border border-line bg-surface">
      <header className="flex items-baseline gap-2 border-line border-b bg-sunken px-4 py-2">
        <h2 id="needs-attention" className="font-semibold text-sm">
          {texts.title}
        </h2>
        {items.length > 0 && (
          <span className="text-dim text-xs tabular-nums">{cut ? texts.mostUrgent(items.length) : items.length}</span>
        )}
      </header>
      {items.length === 0 ? (
        <p className="flex items-center gap-2.5 px-4 py-5 text-dim text-sm">
          <CircleCheck className="size-4 shrink-0 text-good" aria-hidden="true" />
          {nothing(scope, live)}
        </p>
      ) : (
        list(items.slice(0, shownAtFirst))
      )}
      {items.length > shownAtFirst && (
        <details className="group border-line border-t">
          <summary className="list-none px-4 py-2.5 font-medium text-dim text-xs hover:bg-hover/50 hover:text-ink group-open:border-line group-open:border-b [&::-webkit-details-marker]:hidden">
            <span className="group-open:hidden">{texts.showMore(items.length - shownAtFirst)}</span>
            <span className="hidden group-open:inline">{texts.showFewer}</span>
          </summary>
          {list(items.slice(shownAtFirst), shownAtFirst + 1)}
        </details>
      )}
      {cut && <More counts={counts} scope={scope} />}
    </section>
  );
}

function Item({ item, scope }: { item: AttentionItem; scope: Overview["scope"] }) {
  const { name, icon: Icon, ink, action } = looks[item.kind];
  const { token } = item;
  return (
    <li className="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-3 gap-y-2 px-4 py-2.5 text-sm sm:grid-cols-[auto_minmax(0,1fr)_auto]">
      <Icon className={clsx("mt-0.5 size-4 shrink-0 self-start", ink)} aria-hidden="true" />
      <div>
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">{name}</span>
          {token && (
            <span className="flex min-w-0 max-w-full items-baseline gap-x-2">
              {token.label && <span className="truncate">{token.label}</span>}
              <TokenHint hint={token.hint} />
            </span>
          )}
          {token?.owner && scope === "account" && <span className="text-dim">{token.owner}</span>}
        </p>
        <p className="text-dim text-xs">
          {item.detail}
          {item.at.length > 10 && (
            <span className="text-faint">
              {" "}
              <Time iso={item.at} className="whitespace-nowrap tabular-nums" />
            </span>
          )}
        </p>
      </div>
      <Link
        href={placeOfToken(item, scope)}
        prefetch={false}
        className={clsx(buttonClass("secondary", "sm"), "max-sm:col-start-2 max-sm:justify-self-start")}
      >
        {action[scope]}
        {token && <span className="sr-only">, {token.hint}</span>}
      </Link>
    </li>
  );
}

/** The list is cut; each kind has a page that is not. */
function More({ counts, scope }: { counts: Overview["counts"]; scope: Overview["scope"] }) {
  return (
    <p className="flex flex-wrap gap-x-3 gap-y-1 border-line border-t px-4 py-2.5 text-dim text-xs tabular-nums">
      <span>{texts.all}</span>
      {attentionKinds
        .filter((kind) => counts[kind] > 0)
        .map((kind) => (
          <Link
            key={kind}
            href={placeOfKind(kind, scope)}
            prefetch={false}
            className="text-accent underline-offset-2 hover:underline"
          >
            {texts.kindCount(looks[kind].name, counts[kind])}
          </Link>
        ))}
    </p>
  );
}
