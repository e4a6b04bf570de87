import { type Person, roleNames } from "@/components/shell/person";
import { Fact } from "@/components/ui/fact";
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
        <Fact name={texts.name}>{person.name}</Fact>
        <Fact name={texts.email}>{person.email ?? <span className="text-faint">{texts.notKnown}</span>}</Fact>
        <Fact name={texts.role}>
          {roleNames[person.role]}
          <span className="block text-dim text-xs">{texts.rights[person.role]}</span>
        </Fact>
        <Fact name={texts.signedIn}>{texts.doors[provider]}</Fact>
      </dl>
    </section>
  );
}
