import type { ReactNode } from "react";
import { type Connection, type Person, roleNames } from "@/components/shell/person";

const roleRights: Record<Person["role"], string> = {
  member: "Your own tokens, sessions and events",
  ops: "The tokens, sessions and events of your main account",
  admin: "The tokens, sessions and events of your main account, and denied sign-ins",
};

/** Who is signed in, and to which RingCX. Nothing of it is changed here: it comes from there. */
export function ProfileSection({ person, connections }: { person: Person; connections: Connection[] }) {
  return (
    <section aria-labelledby="profile">
      <h2 id="profile" className="mb-2 font-semibold text-base text-ink">
        Profile
      </h2>
      <dl className="divide-y divide-line rounded-lg border border-line bg-surface text-sm">
        <Row name="Name">{person.name}</Row>
        <Row name="E-mail">{person.email ?? <span className="text-faint">Not known</span>}</Row>
        <Row name="Role">
          {roleNames[person.role]}
          <span className="block text-dim text-xs">{roleRights[person.role]}</span>
        </Row>
        {connections.map(({ id, host, username, platformId, mainAccountId }) => (
          <Row key={id} name="Connection">
            <span className="block break-words">{host.replace(/^https?:\/\//, "")}</span>
            <span className="block break-words text-dim text-xs">
              Signed in as {username}, platform <span className="font-mono">{platformId}</span>, main account{" "}
              <span className="font-mono tabular-nums">{mainAccountId}</span>
            </span>
          </Row>
        ))}
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
