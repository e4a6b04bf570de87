"use client";

import { X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { arrivalText } from "@/components/arrival-text";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { uiTexts } from "@/lib/texts/ui";

/** Why somebody came back from another site without what they went there for: told once, and gone from the address. */
export function ArrivalProblem() {
  const box = useRef<HTMLDivElement>(null);
  const [word, setWord] = useState<string | null>(null);

  useEffect(() => {
    const url = new URL(location.href);
    const problem = url.searchParams.get("problem");
    if (problem === null) return;
    url.searchParams.delete("problem");
    history.replaceState(history.state, "", `${url.pathname}${url.search}${url.hash}`);
    setWord(problem);
  }, []);

  useEffect(() => {
    if (word !== null) box.current?.focus();
  }, [word]);

  if (word === null) return null;
  const { title, detail } = arrivalText(word);
  return (
    <div className="relative mb-5">
      <Callout ref={box} tone="danger" role="alert" tabIndex={-1} title={title} className="pr-12">
        <p>{detail}</p>
      </Callout>
      <Button
        variant="ghost"
        size="icon-sm"
        aria-label={uiTexts.actions.dismiss}
        className="absolute top-1.5 right-1.5"
        onClick={() => setWord(null)}
      >
        <X className="size-3.5" aria-hidden="true" />
      </Button>
    </div>
  );
}
