import { ListSkeleton } from "@/components/ui/skeleton";

export default function AccountsLoading() {
  return <ListSkeleton label="Loading your accounts" rows={6} />;
}
