"use client";

import { CircleAlert } from "lucide-react";
import { useRouter } from "next/navigation";
import { useTransition } from "react";
import { adviceFor } from "@/components/advice";
import { Button } from "@/components/ui/button";
import type { Problem } from "@/lib/errors";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.failure;

/** Stands where the content would: a view that could not be loaded. */
export function ProblemPanel({ problem }: { problem: Problem }) {
  const router = useRouter();
  const [pending, startTransition] = useTransition();
  const advice = adviceFor(problem.code);
  return (
    <section role="alert" className="rounded-lg border border-line bg-surface">
      <div className="flex flex-col items-center px-6 py-16 text-center">
        <CircleAlert className="mb-4 size-6 text-faint" aria-hidden="true" />
        <h2 className="font-medium text-base">{problem.title}</h2>
        <div className="mt-1 flex max-w-lg flex-col gap-1 text-balance text-dim text-sm">
          <p>{problem.detail}</p>
          {advice && <p>{advice}</p>}
        </div>
        <Button className="mt-5" pending={pending} onClick={() => startTransition(() => router.refresh())}>
          {uiTexts.actions.retry}
        </Button>
        {problem.requestId !== "" && (
          <p className="mt-4 font-mono text-2xs text-faint">{texts.requestId(problem.requestId)}</p>
        )}
      </div>
    </section>
  );
}
