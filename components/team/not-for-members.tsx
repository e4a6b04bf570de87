import { Lock } from "lucide-react";
import Link from "next/link";
import { buttonClass } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeading } from "@/components/ui/page-heading";

export function NotForMembers() {
  return (
    <>
      <PageHeading title="Team" />
      <section className="rounded-lg border border-line bg-surface">
        <EmptyState
          icon={<Lock className="size-5" />}
          title="This page is for operations"
          action={
            <Link href="/tokens" prefetch={false} className={buttonClass()}>
              Go to your tokens
            </Link>
          }
        >
          It shows the tokens of everybody in the main account. You see your own. Who looks after the main account is
          set by the administrator of this Tokendesk.
        </EmptyState>
      </section>
    </>
  );
}
