import { ListSkeleton } from "@/components/ui/skeleton";

export default function TokenHistoryLoading() {
  return <ListSkeleton label="Loading the history of this token" rows={6} />;
}
