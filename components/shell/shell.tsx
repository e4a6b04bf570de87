import clsx from "clsx";
import type { ReactNode } from "react";
import { Commands } from "@/components/commands/commands";
import {
  type ConnectionFacts,
  ConnectionsProvider,
  ElsewhereNotice,
  OfWorkspace,
} from "@/components/connections/connections";
import { Switcher } from "@/components/connections/switcher";
import { ArrivalProblem } from "@/components/shell/arrival-problem";
import { Brand } from "@/components/shell/brand";
import { MobileMenu } from "@/components/shell/mobile-menu";
import { Navigation } from "@/components/shell/navigation";
import type { Person } from "@/components/shell/person";
import { SandboxRibbon } from "@/components/shell/sandbox-ribbon";
import { contentId, SkipLink } from "@/components/shell/skip-link";
import { UserMenu } from "@/components/shell/user-menu";
import { StepUp } from "@/components/step-up/step-up";
import { Callout } from "@/components/ui/callout";
import { ToastProvider } from "@/components/ui/toast";

type ShellProps = {
  person: Person;
  connections: ConnectionFacts;
  notice: string | null;
  sandbox: boolean;
  children: ReactNode;
};

export function Shell({ person, connections, notice, sandbox, children }: ShellProps) {
  return (
    <div
      data-workspace={connections.active}
      className={clsx("flex min-h-dvh flex-col", sandbox ? "[--ribbon:1.75rem]" : "[--ribbon:0px]")}
    >
      <ToastProvider>
        <ConnectionsProvider facts={connections}>
          <SkipLink />
          <Commands role={person.role} />
          <StepUp />
          <div className="flex flex-1 flex-col lg:flex-row">
            <header className="sticky top-0 z-30 flex h-12 items-center gap-2 border-line border-b bg-sunken px-3 lg:hidden">
              <MobileMenu role={person.role} />
              <Brand />
              <div className="ml-auto">
                <UserMenu person={person} compact />
              </div>
            </header>
            <header className="sticky top-0 hidden h-[calc(100dvh-var(--ribbon))] w-56 shrink-0 flex-col gap-4 border-line border-r bg-sunken p-3 lg:flex">
              <div className="px-1 pt-1 pb-1">
                <Brand />
              </div>
              <Navigation role={person.role} />
              <div className="mt-auto flex flex-col gap-2">
                <Switcher />
                <UserMenu person={person} />
              </div>
            </header>
            <main id={contentId} tabIndex={-1} className="min-w-0 flex-1 outline-none">
              <div className="mx-auto w-full max-w-[88rem] px-4 py-5 sm:px-6 lg:px-8 lg:py-7">
                <ArrivalProblem />
                {notice && (
                  <Callout tone="warn" role="status" className="mb-5">
                    {notice}
                  </Callout>
                )}
                <ElsewhereNotice />
                <OfWorkspace>{children}</OfWorkspace>
              </div>
            </main>
          </div>
          {sandbox && <SandboxRibbon />}
        </ConnectionsProvider>
      </ToastProvider>
    </div>
  );
}
