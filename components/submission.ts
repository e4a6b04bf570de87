"use client";

import { useRouter } from "next/navigation";
import { useRef, useState } from "react";
import type { Answer, Failure } from "@/components/http";

/** One request at a time, sent by the person: whether it is under way, and how the last one failed. */
export function useSubmission() {
  const busy = useRef(false);
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const router = useRouter();

  /** The answer's value. Null: it failed, or another one is under way and this one was not sent. */
  async function submit<T>(send: () => Promise<Answer<T>>): Promise<T | null> {
    // The ref also stops a second press that comes before the next render.
    if (busy.current) return null;
    busy.current = true;
    setPending(true);
    setFailure(null);
    const answer = await send();
    busy.current = false;
    setPending(false);
    if (answer.ok) return answer.value;
    setFailure(answer.failure);
    // The page shows something that is gone.
    if (answer.failure.code === "token_not_found") router.refresh();
    return null;
  }

  return { pending, failure, submit };
}
