import { ListSkeleton } from "@/components/ui/skeleton";
import { accountsTexts } from "@/lib/texts/accounts";

const texts = accountsTexts.view;

export default function AccountsLoading() {
  return <ListSkeleton label={texts.loading} rows={6} />;
}
