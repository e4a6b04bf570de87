import { ListSkeleton } from "@/components/ui/skeleton";
import { auditTexts } from "@/lib/texts/audit";

const texts = auditTexts.view;

export default function AuditLogLoading() {
  return <ListSkeleton label={texts.loading} />;
}
