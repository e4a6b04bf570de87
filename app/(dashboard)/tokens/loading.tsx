import { ListSkeleton } from "@/components/ui/skeleton";

export default function TokensLoading() {
  return <ListSkeleton label="Loading your tokens" />;
}
