import { FlaskConical } from "lucide-react";
import { shellTexts } from "@/lib/texts/shell";

const texts = shellTexts.frame;

export function SandboxRibbon() {
  return (
    <footer className="sticky bottom-0 z-20 flex h-7 items-center justify-center gap-1.5 border-line border-t bg-warn-soft font-medium text-warn text-xs">
      <FlaskConical className="size-3.5" aria-hidden="true" />
      {texts.sandbox}
    </footer>
  );
}
