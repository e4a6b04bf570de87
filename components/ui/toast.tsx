"use client";

import clsx from "clsx";
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { Toast as Radix } from "radix-ui";
import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from "react";
import { buttonClass } from "@/components/ui/button";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.toast;

type Toast = { title: string; detail?: string; tone?: "good" | "danger" };

const ToastContext = createContext<((toast: Toast) => void) | null>(null);

/** Says something in passing: what was copied, what was saved. Never the only place where a failure stands. */
export function useToast(): (toast: Toast) => void {
  const show = useContext(ToastContext);
  if (!show) throw new Error("useToast needs a ToastProvider above it");
  return show;
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<(Toast & { key: number })[]>([]);
  const count = useRef(0);
  const show = useCallback((toast: Toast) => {
    count.current += 1;
    const key = count.current;
    setToasts((shown) => [...shown.slice(-2), { ...toast, key }]);
  }, []);
  return (
    <ToastContext value={show}>
      {children}
      {/* Beside the page, not around it: its context changes as soon as it is there, and React would give up on what the
          server is still sending below it, and render that anew. */}
      <Radix.Provider label={texts.region} swipeDirection="right" duration={4500}>
        {toasts.map(({ key, title, detail, tone = "good" }) => (
          <Radix.Root
            key={key}
            className="flex animate-rise items-start gap-2.5 rounded-lg bg-surface py-2.5 pr-2 pl-3 text-sm shadow-overlay"
            onOpenChange={(open) => open || setToasts((shown) => shown.filter((toast) => toast.key !== key))}
          >
            {tone === "good" ? (
              <CircleCheck className="mt-0.5 size-4 shrink-0 text-good" aria-hidden="true" />
            ) : (
              <CircleAlert className="mt-0.5 size-4 shrink-0 text-danger" aria-hidden="true" />
            )}
            <div className="min-w-0 flex-1">
              <Radix.Title className="font-medium text-ink">{title}</Radix.Title>
              {detail && <Radix.Description className="break-words text-dim text-xs">{detail}</Radix.Description>}
            </div>
            <Radix.Close
              className={clsx(buttonClass("ghost", "icon-sm"), "-my-1")}
              aria-label={uiTexts.actions.dismiss}
            >
              <X className="size-3.5" aria-hidden="true" />
            </Radix.Close>
          </Radix.Root>
        ))}
        <Radix.Viewport className="fixed right-0 z-60 flex w-full flex-col gap-2 p-2 outline-none max-sm:top-0 sm:bottom-(--ribbon) sm:w-96 sm:p-4" />
      </Radix.Provider>
    </ToastContext>
  );
}
