import type { ReactNode } from "react";
import { type Person, roleNames } from "@/components/shell/person";
import { sessionsTexts } from "@/lib/texts/sessions";

const texts = sessionsTexts.profile;

type ProfileSectionProps = { person: Person; provider: keyof typeof texts.doors };

/** Who is signed in. Nothing of it is changed here: it comes from where they signed in. */
export function ProfileSection({ person, provider }: ProfileSectionProps) {
  return (
    <section aria-labelledby="profile">
      <h2 id="profile" className="mb-2 font-semibold text-base text-ink">
        {texts.title}
      </h2>
      <dl className="divide-y divide-line rounded-lg border border-line bg-surface text-sm">
        <Row name={texts.name}>{person.name}</Row>
        <Row name={texts.email}>{person.email ?? <span className="text-faint">{texts.notKnown}</span>}</Row>
        <Row name={texts.role}>
          {roleNames[person.role]}
          <span className="block text-dim text-xs">{texts.rights[person.role]}</span>
        </Row>
        <Row name={texts.signedIn}>{texts.doors[provider]}</Row>
      </dl>
    </section>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid gap-x-4 px-4 py-2.5 sm:grid-cols-[9rem_minmax(0,1fr)]">
      <dt className="text-faint max-sm:text-xs">{name}</dt>
      <dd className="min-w-0 break-words text-ink">{children}</dd>
    </div>
  );
}
