import { Lock } from "lucide-react";
import Link from "next/link";
import { buttonClass } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeading } from "@/components/ui/page-heading";
import { teamTexts } from "@/lib/texts/team";

const texts = teamTexts.notForMembers;

export function NotForMembers() {
  return (
    <>
      <PageHeading title={teamTexts.view.title} />
      <section className="rounded-lg border border-line bg-surface">
        <EmptyState
          icon={<Lock className="size-5" />}
          title={texts.title}
          action={
            <Link href="/tokens" prefetch={false} className={buttonClass()}>
              {texts.goToTokens}
            </Link>
          }
        >
          {texts.why}
        </EmptyState>
      </section>
    </>
  );
}
