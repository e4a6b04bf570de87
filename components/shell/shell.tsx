import clsx from "clsx";
import type { ReactNode } from "react";
import { Brand } from "@/components/shell/brand";
import { ConnectionCard } from "@/components/shell/connection-card";
import { MobileMenu } from "@/components/shell/mobile-menu";
import { Navigation } from "@/components/shell/navigation";
import type { Connection, Person } from "@/components/shell/person";
import { SandboxRibbon } from "@/components/shell/sandbox-ribbon";
import { contentId, SkipLink } from "@/components/shell/skip-link";
import type { Theme } from "@/components/shell/theme";
import { UserMenu } from "@/components/shell/user-menu";
import { Callout } from "@/components/ui/callout";
import { ToastProvider } from "@/components/ui/toast";

type ShellProps = {
  person: Person;
  connections: Connection[];
  notice: string | null;
  sandbox: boolean;
  theme: Theme;
  children: ReactNode;
};

export function Shell({ person, connections, notice, sandbox, theme, children }: ShellProps) {
  return (
    <div className={clsx("flex min-h-dvh flex-col", sandbox ? "[--ribbon:1.75rem]" : "[--ribbon:0px]")}>
      <ToastProvider>
        <SkipLink />
        <div className="flex flex-1 flex-col md:flex-row">
          <header className="sticky top-0 z-30 flex h-12 items-center gap-2 border-line border-b bg-sunken px-3 md:hidden">
            <MobileMenu role={person.role} connections={connections} />
            <Brand />
            <div className="ml-auto">
              <UserMenu person={person} theme={theme} compact />
            </div>
          </header>
          <header className="sticky top-0 hidden h-[calc(100dvh-var(--ribbon))] w-56 shrink-0 flex-col gap-4 border-line border-r bg-sunken p-3 md:flex">
            <div className="px-1 pt-1 pb-1">
              <Brand />
            </div>
            <Navigation role={person.role} />
            <div className="mt-auto flex flex-col gap-2">
              {connections.map((connection) => (
                <ConnectionCard key={connection.id} connection={connection} />
              ))}
              <UserMenu person={person} theme={theme} />
            </div>
          </header>
          <main id={contentId} tabIndex={-1} className="min-w-0 flex-1 outline-none">
            <div className="mx-auto w-full max-w-[88rem] px-4 py-5 sm:px-6 lg:px-8 lg:py-7">
              {notice && (
                <Callout tone="warn" role="status" className="mb-5">
                  {notice}
                </Callout>
              )}
              {children}
            </div>
          </main>
        </div>
        {sandbox && <SandboxRibbon />}
      </ToastProvider>
    </div>
  );
}
