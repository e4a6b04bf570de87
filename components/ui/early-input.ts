"use client";

import { type Ref, type RefObject, useEffect, useImperativeHandle, useRef } from "react";
import { useHydrated } from "@/components/ui/hydrated";

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/**
 * Tells React what was typed, chosen or ticked in a control before the page's script worked. Nobody heard of it then: it
 * would be shown and never used.
 * @param ref The control's own one.
 */
export function useEarlyInput<T extends Control>(ref: Ref<T> | undefined): RefObject<T | null> {
  const control = useRef<T>(null);
  const hydrated = useHydrated();
  useImperativeHandle(ref, () => control.current as T, []);
  useEffect(() => {
    // A control that the script itself made holds what it was given.
    if (!hydrated && control.current) tellAgain(control.current);
  }, [hydrated]);
  return control;
}

function tellAgain(control: Control): void {
  if (control instanceof HTMLSelectElement) {
    const rendered = [...control.options].find((option) => option.defaultSelected) ?? control.options[0];
    if (control.value !== rendered?.value) control.dispatchEvent(new Event("change", { bubbles: true }));
    return;
  }
  // React takes what a control holds at first for known. The setters of its own make it think of the rendered value
  // again; what puts the other one back must be one that it does not see.
  if (control.type === "checkbox" && control instanceof HTMLInputElement) {
    if (control.checked === control.defaultChecked) return;
    control.checked = control.defaultChecked;
    control.click();
    return;
  }
  const typed = control.value;
  if (typed === control.defaultValue) return;
  control.value = control.defaultValue;
  const { prototype } = control instanceof HTMLInputElement ? HTMLInputElement : HTMLTextAreaElement;
  Object.getOwnPropertyDescriptor(prototype, "value")?.set?.call(control, typed);
  control.dispatchEvent(new Event("input", { bubbles: true }));
}
