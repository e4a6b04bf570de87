import { ListSkeleton } from "@/components/ui/skeleton";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.report;

export default function IncidentReportLoading() {
  return <ListSkeleton label={texts.loading} rows={8} />;
}
