"use client";

import { setNonce } from "get-nonce";

// A dialog's scroll lock adds a <style> to the page; under our policy it needs the nonce of the document that was
// loaded, which the browser keeps in the property and not in the attribute.
if (typeof document !== "undefined") {
  const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce;
  if (nonce) setNonce(nonce);
}

/** Renders nothing; it is here so that the module above runs in the browser. */
export function StyleNonce() {
  return null;
}
