import { ListSkeleton } from "@/components/ui/skeleton";

export default function IncidentReportLoading() {
  return <ListSkeleton label="Loading the report of this incident" rows={8} />;
}
