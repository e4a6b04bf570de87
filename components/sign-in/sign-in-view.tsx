import { FlaskConical, ShieldCheck } from "lucide-react";
import { arrivalText } from "@/components/arrival-text";
import { Brand } from "@/components/shell/brand";
import { SandboxRibbon } from "@/components/shell/sandbox-ribbon";
import { contentId, SkipLink } from "@/components/shell/skip-link";
import { SignInDoors } from "@/components/sign-in/sign-in-doors";
import { SignInForm } from "@/components/sign-in/sign-in-form";
import { Callout } from "@/components/ui/callout";
import { signInTexts } from "@/lib/texts/sign-in";

const texts = signInTexts.view;

const reasons: Record<string, string> = texts.reasons;

type SignInViewProps = {
  hosts: string[];
  legacyHosts: string[];
  ringex: boolean;
  ssoName: string | null;
  sandbox: boolean;
  reason: string | null;
  /** Why somebody came back from another site without a session: a word of ours, or anything at all. */
  problem: string | null;
  returnPath: string;
};

export function SignInView({ sandbox, reason, problem, returnPath, ...doors }: SignInViewProps) {
  const { hosts, legacyHosts, ringex, ssoName } = doors;
  const trouble = problem === null ? null : arrivalText(problem);
  const because = reason !== null && Object.hasOwn(reasons, reason) ? reasons[reason] : undefined;
  return (
    <div className="flex min-h-dvh flex-col">
      <SkipLink />
      <main
        id={contentId}
        tabIndex={-1}
        className="mx-auto grid w-full max-w-5xl flex-1 content-center gap-x-16 gap-y-10 px-5 py-10 outline-none sm:px-8 lg:content-start lg:pt-[min(14vh,9rem)] lg:grid-cols-[minmax(0,26rem)_minmax(0,1fr)]"
      >
        <div className="lg:col-start-1">
          <Brand />
          <h1 className="mt-8 font-semibold text-2xl">{texts.title}</h1>
          <p className="mt-1 text-dim text-base">
            {ringex || ssoName !== null ? texts.withCompany : texts.withPassword}
          </p>
          {trouble && (
            <Callout tone="danger" role="alert" className="mt-5" title={trouble.title}>
              <p>{trouble.detail}</p>
            </Callout>
          )}
          {because && !trouble && (
            <Callout tone="info" role="status" className="mt-5">
              {because}
            </Callout>
          )}
          <noscript>
            <Callout tone="warn" className="mt-5">
              {texts.needsScript}
            </Callout>
          </noscript>
          {(ringex || ssoName !== null) && <SignInDoors ringex={ringex} ssoName={ssoName} returnPath={returnPath} />}
          <SignInForm hosts={hosts} legacyHosts={legacyHosts} returnPath={returnPath} />
        </div>
        <aside aria-label={texts.about} className="flex flex-col gap-8 lg:pt-16 lg:border-line lg:border-l lg:pl-16">
          {sandbox && (
            <section>
              <h2 className="flex items-center gap-2 font-medium text-base">
                <FlaskConical className="size-4 text-warn" aria-hidden="true" />
                {texts.sandbox}
              </h2>
              <p className="mt-1.5 max-w-sm text-dim text-sm">{texts.sandboxWhy}</p>
            </section>
          )}
          <section>
            <h2 className="flex items-center gap-2 font-medium text-base">
              <ShieldCheck className="size-4 text-good" aria-hidden="true" />
              {texts.keeps}
            </h2>
            <dl className="mt-3 flex max-w-sm flex-col gap-3">
              {texts.promises.map(([name, text]) => (
                <div key={name}>
                  <dt className="font-medium text-ink text-sm">{name}</dt>
                  <dd className="text-dim text-sm">{text}</dd>
                </div>
              ))}
            </dl>
          </section>
        </aside>
      </main>
      {sandbox && <SandboxRibbon />}
    </div>
  );
}
