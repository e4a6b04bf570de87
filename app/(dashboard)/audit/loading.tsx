import { ListSkeleton } from "@/components/ui/skeleton";

export default function AuditLogLoading() {
  return <ListSkeleton label="Loading the audit log" />;
}
