import { Skeleton } from "@/components/ui/skeleton";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.view;

export default function IncidentLoading() {
  return (
    <div role="status" aria-label={texts.loading}>
      <h1 className="sr-only">{texts.loading}</h1>
      <div aria-hidden="true">
        <Skeleton className="h-6 w-28" />
        <Skeleton className="mt-2 h-4 w-96 max-w-full" />
        <div className="mt-5 rounded-lg border border-line bg-surface p-4">
          <Skeleton className="h-4 w-72 max-w-full" />
          <Skeleton className="mt-2 h-48 w-full" />
          <Skeleton className="mt-3 h-8 w-full" />
        </div>
      </div>
    </div>
  );
}
