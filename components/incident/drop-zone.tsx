"use client";

import { FileDown } from "lucide-react";
import { useEffect, useEffectEvent, useState } from "react";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.paste;

/**
 * Takes files that are dropped anywhere on the page, while it is there. `onFiles` null: not now; the browser is kept from
 * opening them in place of the page all the same.
 */
export function DropZone({ onFiles }: { onFiles: ((files: readonly File[]) => void) | null }) {
  const [over, setOver] = useState(false);
  const drop = useEffectEvent((files: readonly File[]) => onFiles?.(files));
  const refuse = useEffectEvent((event: DragEvent) => {
    if (onFiles === null && event.dataTransfer) event.dataTransfer.dropEffect = "none";
  });

  useEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    const withFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    // Entering a child comes before leaving its parent.
    let inside = 0;
    const on = (type: "dragenter" | "dragover" | "dragleave" | "drop", handle: (event: DragEvent) => void) =>
      document.addEventListener(type, (event) => withFiles(event) && handle(event), { signal });
    on("dragenter", (event) => {
      event.preventDefault();
      inside += 1;
      setOver(true);
    });
    on("dragover", (event) => {
      event.preventDefault();
      refuse(event);
    });
    on("dragleave", () => {
      inside -= 1;
      if (inside <= 0) setOver(false);
    });
    on("drop", (event) => {
      event.preventDefault();
      inside = 0;
      setOver(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) drop(files);
    });
    return () => ended.abort();
  }, []);

  if (!over || onFiles === null) return null;
  return (
    <div className="pointer-events-none fixed inset-0 z-40 flex items-center justify-center bg-(--scrim) p-6">
      <p className="flex items-center gap-3 rounded-xl border-2 border-accent border-dashed bg-surface px-8 py-6 font-medium text-base shadow-overlay">
        <FileDown className="size-5 text-accent" aria-hidden="true" />
        {texts.drop}
      </p>
    </div>
  );
}
