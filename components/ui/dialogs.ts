"use client";

import { useCallback, useEffect, useRef, useState } from "react";

/** One dialog at a time, and where the focus goes after it: to what opened it, or to the heading when that is gone. */
export function useDialogs<Dialog>(heading: { current: HTMLElement | null }, rows: readonly unknown[]) {
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const opener = useRef<Element | null>(null);

  // The list can arrive after the dialog was closed, and take the row with the focus away.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows are what it waits for
  useEffect(() => {
    const lost = opener.current !== null && !opener.current.isConnected && document.activeElement === document.body;
    if (!lost) return;
    opener.current = null;
    heading.current?.focus();
  }, [rows, heading]);

  const open = useCallback((next: Dialog) => {
    // A dialog that leads to another keeps what opened the first.
    if (!document.querySelector("[role=dialog]")) opener.current = document.activeElement;
    setDialog(() => next);
  }, []);
  const close = useCallback(() => setDialog(null), []);
  const returnFocus = useCallback(() => {
    // From one dialog to the next the focus is that dialog's.
    if (document.querySelector("[role=dialog]")) return;
    const target = opener.current;
    if (target instanceof HTMLElement && target.isConnected && target !== document.body) target.focus();
    else heading.current?.focus();
  }, [heading]);

  return { dialog, open, close, returnFocus };
}
