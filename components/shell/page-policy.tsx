"use client";

import { setNonce } from "get-nonce";
import { z } from "zod";

// What the content security policy of our pages asks of libraries.
// A dialog's scroll lock adds a <style> to the page, which needs the nonce of the document that was loaded; the browser
// keeps it in the property and not in the attribute.
if (typeof document !== "undefined") {
  const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce;
  if (nonce) setNonce(nonce);
}
// zod would try whether it may compile its parsers, and the try is reported as a violation.
z.config({ jitless: true });

/** Renders nothing; it is here so that the module above runs in the browser. */
export function PagePolicy() {
  return null;
}
