import Link from "next/link";
import { BarePage } from "@/components/shell/bare-page";
import { buttonClass } from "@/components/ui/button";
import { pagesTexts } from "@/lib/texts/pages";

const texts = pagesTexts.notFound;

export const metadata = { title: texts.tab };

export default function NotFoundPage() {
  return (
    <BarePage
      title={texts.title}
      action={
        <Link href="/tokens" className={buttonClass("primary")}>
          {texts.goToTokens}
        </Link>
      }
    >
      {texts.why}
    </BarePage>
  );
}
