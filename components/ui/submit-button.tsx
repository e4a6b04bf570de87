"use client";

import type { ComponentProps } from "react";
import { Button } from "@/components/ui/button";
import { useHydrated } from "@/components/ui/hydrated";

/**
 * Sends a form that is in the page from the start. Before the page's script works the browser would send it by itself:
 * load the page anew without what was typed, or show the answer that is for the script.
 */
export function SubmitButton({ disabled = false, ...rest }: Omit<ComponentProps<typeof Button>, "type">) {
  const hydrated = useHydrated();
  return <Button {...rest} type={hydrated ? "submit" : "button"} disabled={disabled || !hydrated} />;
}
