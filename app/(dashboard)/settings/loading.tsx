import { ListSkeleton } from "@/components/ui/skeleton";

export default function SettingsLoading() {
  return <ListSkeleton label="Loading your settings" rows={4} />;
}
