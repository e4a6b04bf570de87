/** What is going on, on stderr: one line that is redrawn for a terminal, else a line every few seconds. */
const quietMs = 3_000;

export class Progress {
  #toldAt = Date.now();
  #drawn = false;

  show(text: string): void {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r${text.slice(0, (process.stderr.columns || 80) - 1)}\u001b[K`);
      this.#drawn = true;
    } else if (Date.now() - this.#toldAt >= quietMs) {
      this.#toldAt = Date.now();
      process.stderr.write(`${text}\n`);
    }
  }

  /** Before something else is written. */
  clear(): void {
    if (this.#drawn) process.stderr.write("\r\u001b[K");
    this.#drawn = false;
  }
}

/** `, about 20 s left`; nothing for what is as good as done. */
export function timeLeft(etaMs: number): string {
  const seconds = Math.round(etaMs / 1000);
  if (seconds < 2) return "";
  return `, at least ${seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} left`;
}
