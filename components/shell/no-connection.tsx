import { Unplug } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { buttonClass } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeading } from "@/components/ui/page-heading";
import { shellTexts } from "@/lib/texts/shell";

const texts = shellTexts.noConnection;

type NoConnectionProps = {
  /** Of the page. */
  title: string;
  children: ReactNode;
};

/** In place of a page that is about one's own RingCX account, for who has none connected here. */
export function NoConnection({ title, children }: NoConnectionProps) {
  return (
    <>
      <PageHeading title={title} />
      <section className="rounded-lg border border-line bg-surface">
        <EmptyState
          icon={<Unplug className="size-5" />}
          title={texts.title}
          action={
            <Link href="/settings#connections" prefetch={false} className={buttonClass("primary")}>
              {texts.connect}
            </Link>
          }
        >
          {children}
        </EmptyState>
      </section>
    </>
  );
}
