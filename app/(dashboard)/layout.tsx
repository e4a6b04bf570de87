import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { Shell } from "@/components/shell/shell";
import { parseTheme, themeCookie } from "@/components/shell/theme";
import { requireSession } from "@/lib/auth/session";
import { signInOptions } from "@/lib/auth/sign-in";

/** The frame only. Each page guards itself: a layout does not run again on navigation. */
export default async function DashboardLayout({ children }: { children: ReactNode }) {
  const session = await requireSession();
  const { name, email, role } = session.user;
  return (
    <Shell
      person={{ name, email, role }}
      connections={session.connections}
      notice={session.notice}
      sandbox={signInOptions().sandbox}
      theme={parseTheme((await cookies()).get(themeCookie)?.value)}
    >
      {children}
    </Shell>
  );
}
