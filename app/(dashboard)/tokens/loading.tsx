import { ListSkeleton } from "@/components/ui/skeleton";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.view;

export default function TokensLoading() {
  return <ListSkeleton label={texts.loading} />;
}
