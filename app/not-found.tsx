import Link from "next/link";
import { BarePage } from "@/components/shell/bare-page";
import { buttonClass } from "@/components/ui/button";

export const metadata = { title: "Not found" };

export default function NotFoundPage() {
  return (
    <BarePage
      title="There is nothing at this address"
      action={
        <Link href="/tokens" className={buttonClass("primary")}>
          Go to tokens
        </Link>
      }
    >
      The link may be old, or it was typed with a slip.
    </BarePage>
  );
}
