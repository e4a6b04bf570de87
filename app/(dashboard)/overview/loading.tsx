import { Skeleton } from "@/components/ui/skeleton";
import { overviewTexts } from "@/lib/texts/overview";

const texts = overviewTexts.view;

export default function OverviewLoading() {
  return (
    <div role="status" aria-label={texts.loading}>
      <h1 className="sr-only">{texts.loading}</h1>
      <div aria-hidden="true">
        <div className="flex h-13.5 flex-col justify-around">
          <Skeleton className="h-6 w-36" />
          <Skeleton className="h-4 w-56" />
        </div>
        <Skeleton className="mt-5 h-56 rounded-lg" />
        <div className="mt-6 grid grid-cols-2 gap-2 sm:grid-cols-4">
          {["a", "b", "c", "d"].map((key) => (
            <Skeleton key={key} className="h-16 rounded-lg" />
          ))}
        </div>
        <div className="mt-6 grid gap-4 lg:grid-cols-2">
          <Skeleton className="h-64 rounded-lg" />
          <Skeleton className="h-64 rounded-lg" />
        </div>
      </div>
    </div>
  );
}
