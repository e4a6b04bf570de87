"use client";

import { useRouter } from "next/navigation";
import {
  type RefObject,
  type TransitionStartFunction,
  useCallback,
  useEffect,
  useOptimistic,
  useRef,
  useTransition,
} from "react";

type ViewInAddress<View> = {
  /** What is asked for, also before its answer is here. */
  view: View;
  /** The same for what goes out a moment after it was typed: meanwhile something else may have been chosen. */
  latest: RefObject<View>;
  pending: boolean;
  visit: (next: View, navigate: "push" | "replace") => void;
  /** For what else `pending` is to tell of. */
  startTransition: TransitionStartFunction;
};

/**
 * A view that lives in the address, which follows what is chosen with a delay.
 * @param path The address of a view. Defined once: it must not change.
 */
export function useViewInAddress<View>(asked: View, path: (view: View) => string): ViewInAddress<View> {
  const router = useRouter();
  const [pending, startTransition] = useTransition();
  const [view, setView] = useOptimistic(asked);
  const latest = useRef(asked);
  useEffect(() => {
    latest.current = view;
  }, [view]);
  const visit = useCallback(
    (next: View, navigate: "push" | "replace") => {
      latest.current = next;
      startTransition(() => {
        setView(next);
        router[navigate](path(next), { scroll: false });
      });
    },
    [path, router, setView],
  );
  return { view, latest, pending, visit, startTransition };
}
