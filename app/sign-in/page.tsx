import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { SignInView } from "@/components/sign-in/sign-in-view";
import { safeReturnPath } from "@/lib/auth/return-path";
import { currentSession } from "@/lib/auth/session";
import { signInOptions } from "@/lib/auth/sign-in";
import { signInTexts } from "@/lib/texts/sign-in";

const texts = signInTexts.view;

export const metadata: Metadata = { title: texts.page };

export default async function SignInPage({ searchParams }: PageProps<"/sign-in">) {
  const { reason, returnTo, problem } = await searchParams;
  const returnPath = safeReturnPath(typeof returnTo === "string" ? returnTo : undefined);
  // With a reason the session was just refused, whatever its cookie says: going back would go round in circles.
  if (reason === undefined && (await currentSession())) redirect(returnPath);
  return (
    <SignInView
      {...signInOptions()}
      reason={typeof reason === "string" ? reason : null}
      problem={typeof problem === "string" ? problem : null}
      returnPath={returnPath}
    />
  );
}
