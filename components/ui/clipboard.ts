/**
 * Copies a text. The second way is for pages on plain http, where browsers have no `navigator.clipboard`; it works
 * inside the open dialog, because a modal dialog takes the focus back from anything outside it.
 */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const active = document.activeElement;
    const area = document.createElement("textarea");
    area.value = text;
    area.readOnly = true;
    area.style.position = "fixed";
    area.style.opacity = "0";
    (active?.closest("[role=dialog]") ?? document.body).append(area);
    area.select();
    try {
      return document.execCommand("copy");
    } finally {
      area.remove();
      if (active instanceof HTMLElement) active.focus();
    }
  }
}
