import { ListSkeleton } from "@/components/ui/skeleton";
import { sessionsTexts } from "@/lib/texts/sessions";

const texts = sessionsTexts.settings;

export default function SettingsLoading() {
  return <ListSkeleton label={texts.loading} rows={4} />;
}
