import { Badge } from "@/components/ui/badge";
import { Callout } from "@/components/ui/callout";
import { Fact } from "@/components/ui/fact";
import type { Configuration } from "@/lib/auth/schema";
import type { Problem } from "@/lib/errors";
import { configurationTexts } from "@/lib/texts/configuration";

const texts = configurationTexts.section;

type ConfigurationSectionProps = {
  found: { value: Configuration; problem: null } | { value: null; problem: Problem };
};

/** For administrators: what is in force, and where each value comes from. It is changed in the environment only. */
export function ConfigurationSection({ found: { value, problem } }: ConfigurationSectionProps) {
  return (
    <section aria-labelledby="configuration">
      <h2 id="configuration" className="font-semibold text-base text-ink">
        {texts.title}
      </h2>
      <p className="mb-2 text-dim text-sm">{texts.about}</p>
      {problem ? <Callout tone="info">{problem.detail}</Callout> : <Facts {...value} />}
    </section>
  );
}

function Facts({ roles, allowedAccounts, retention, limits, settings }: Configuration) {
  return (
    <>
      <dl className="mb-4 divide-y divide-line rounded-lg border border-line bg-surface text-sm">
        <Fact name={texts.admins}>
          <Names names={roles.admins} none={texts.nobody} />
        </Fact>
        <Fact name={texts.ops}>
          <Names names={roles.ops} none={roles.opsGroup === null ? texts.nobody : null} />
          {roles.opsGroup !== null && <span className="block text-dim text-xs">{texts.opsGroup(roles.opsGroup)}</span>}
        </Fact>
        <Fact name={texts.allowedAccounts}>
          {allowedAccounts === null ? (
            <>
              {texts.anyAccount}
              <span className="block text-dim text-xs">{texts.anyAccountWarning}</span>
            </>
          ) : (
            <Names names={allowedAccounts} none={texts.none} />
          )}
        </Fact>
        <Fact name={texts.retention}>
          {retention.auditDays === null ? texts.forEver : texts.auditDays(retention.auditDays)}
          <span className="block text-dim text-xs">{texts.sessionDays(retention.sessionDays)}</span>
        </Fact>
        <Fact name={texts.sessions}>
          {texts.sessionLimits(limits.idleMinutes, limits.maxMinutes)}
          <span className="block text-dim text-xs">{texts.stepUp(limits.stepUpMinutes)}</span>
        </Fact>
      </dl>
      <h3 id="variables" className="mb-1.5 font-medium text-dim text-sm">
        {texts.variables}
      </h3>
      <ul aria-labelledby="variables" className="divide-y divide-line rounded-lg border border-line bg-surface">
        {settings.map(({ name, source, value, secret }) => (
          <li
            key={name}
            className="grid items-baseline gap-x-4 gap-y-0.5 px-4 py-1.5 sm:grid-cols-[15rem_6.5rem_minmax(0,1fr)]"
          >
            <span className="break-all font-mono text-ink text-xs">{name}</span>
            <span>
              <Badge tone={source === "environment" ? "good" : "plain"}>{texts.sources[source]}</Badge>
            </span>
            <span className="min-w-0 break-words font-mono text-dim text-xs">
              {value ??
                (secret && source !== "unset" ? <span className="font-sans text-faint">{texts.neverShown}</span> : "")}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Names({ names, none }: { names: string[]; none: string | null }) {
  if (names.length === 0) return none === null ? null : <span className="text-faint">{none}</span>;
  return (
    <ul className="flex flex-wrap gap-x-3 gap-y-0.5">
      {names.map((name) => (
        <li key={name} className="break-all font-mono text-xs">
          {name}
        </li>
      ))}
    </ul>
  );
}
