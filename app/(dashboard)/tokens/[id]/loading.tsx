import { ListSkeleton } from "@/components/ui/skeleton";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.history;

export default function TokenHistoryLoading() {
  return <ListSkeleton label={texts.loading} rows={6} />;
}
