import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { ExchangeView } from "@/components/sign-in/exchange-view";
import { pendingExchange } from "@/lib/auth/exchange";
import { safeReturnPath } from "@/lib/auth/return-path";
import { currentSession } from "@/lib/auth/session";
import { signInTexts } from "@/lib/texts/sign-in";

const texts = signInTexts.exchange;

export const metadata: Metadata = { title: texts.page };

export default async function ExchangePage({ searchParams }: PageProps<"/sign-in/ringex">) {
  const { lost } = await searchParams;
  const pending = await pendingExchange();
  // Whoever comes back here afterwards is in already.
  if (pending === null) redirect((await currentSession()) ? safeReturnPath(null) : "/sign-in?problem=state");
  return <ExchangeView purpose={pending.purpose} returnTo={pending.returnTo} lost={lost !== undefined} />;
}
