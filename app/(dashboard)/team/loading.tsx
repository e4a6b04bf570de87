import { ListSkeleton } from "@/components/ui/skeleton";
import { teamTexts } from "@/lib/texts/team";

const texts = teamTexts.view;

export default function TeamLoading() {
  return <ListSkeleton label={texts.loading} />;
}
