import { shellTexts } from "@/lib/texts/shell";

const texts = shellTexts.frame;

export const contentId = "content";

export function SkipLink() {
  return (
    <a
      href={`#${contentId}`}
      className="fixed top-2 left-2 z-60 -translate-y-16 rounded-md bg-solid px-3 py-1.5 font-medium text-sm text-solid-ink focus:translate-y-0 focus:shadow-overlay"
    >
      {texts.skip}
    </a>
  );
}
