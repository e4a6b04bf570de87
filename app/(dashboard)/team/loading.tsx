import { ListSkeleton } from "@/components/ui/skeleton";

export default function TeamLoading() {
  return <ListSkeleton label="Loading the team's tokens" />;
}
