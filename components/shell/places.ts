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
  { href: "/overview", name: "Overview", icon: LayoutDashboard, roles: everyone, key: "o", words: "home attention" },
  { href: "/incident", name: "Incident", icon: Siren, roles: everyone, key: "i", words: "desk leak" },
  { href: "/tokens", name: "Tokens", icon: KeyRound, roles: everyone, key: "t", words: "list inventory" },
  { href: "/accounts", name: "Accounts", icon: Building2, roles: everyone, key: "a", words: "sub-accounts" },
  { href: "/audit", name: "Audit log", icon: ScrollText, roles: everyone, key: "l", words: "events history" },
  { href: "/team", name: "Team", icon: Users, roles: ["ops", "admin"], key: "m", words: "owners coverage sessions" },
  {
    href: "/settings",
    name: "Settings",
    icon: Settings,
    roles: everyone,
    key: "s",
    words: "profile sessions keys notifications",
  },
];

/** The pages of a role, in the order of the navigation. */
export function placesOf(role: Person["role"]): Place[] {
  return places.filter(({ roles }) => roles.includes(role));
}
