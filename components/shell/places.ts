import {
  Building2,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  ScrollText,
  Settings,
  Siren,
  Users,
} from "lucide-react";
import type { Person } from "@/components/shell/person";
import { shellTexts } from "@/lib/texts/shell";

const texts = shellTexts.places;

const everyone: readonly Person["role"][] = ["member", "ops", "admin"];

type Place = {
  href: string;
  name: string;
  icon: LucideIcon;
  roles: readonly Person["role"][];
  /** After `g`. */
  key: string;
  /** What else somebody may call it. */
  words: string;
};

const places: readonly Place[] = [
  {
    href: "/overview",
    name: texts.overview.name,
    icon: LayoutDashboard,
    roles: everyone,
    key: "o",
    words: texts.overview.words,
  },
  { href: "/incident", name: texts.incident.name, icon: Siren, roles: everyone, key: "i", words: texts.incident.words },
  { href: "/tokens", name: texts.tokens.name, icon: KeyRound, roles: everyone, key: "t", words: texts.tokens.words },
  {
    href: "/accounts",
    name: texts.accounts.name,
    icon: Building2,
    roles: everyone,
    key: "a",
    words: texts.accounts.words,
  },
  { href: "/audit", name: texts.audit.name, icon: ScrollText, roles: everyone, key: "l", words: texts.audit.words },
  { href: "/team", name: texts.team.name, icon: Users, roles: ["ops", "admin"], key: "m", words: texts.team.words },
  {
    href: "/settings",
    name: texts.settings.name,
    icon: Settings,
    roles: everyone,
    key: "s",
    words: texts.settings.words,
  },
];

/** The pages of a role, in the order of the navigation. */
export function placesOf(role: Person["role"]): Place[] {
  return places.filter(({ roles }) => roles.includes(role));
}
