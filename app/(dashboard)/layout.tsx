import type { ReactNode } from "react";
import { Shell } from "@/components/shell/shell";
import { requireSession } from "@/lib/auth/session";
import { signInOptions } from "@/lib/auth/sign-in";

/** The frame only. Each page guards itself: a layout does not run again on navigation. */
export default async function DashboardLayout({ children }: { children: ReactNode }) {
  const session = await requireSession();
  const { hosts, legacyHosts, ringex, sandbox } = signInOptions();
  const { name, email, login, provider } = session.identity;
  const facts = {
    connections: session.connections,
    workspaces: session.workspaces,
    active: session.connectionId ?? session.tenant,
    doors: { hosts, legacyHosts, ringex, company: provider === "oidc" ? login : null },
  };
  return (
    <Shell
      person={{ name, email, role: session.user.role }}
      connections={facts}
      notice={session.notice}
      sandbox={sandbox}
    >
      {children}
    </Shell>
  );
}
