import type { CookieJar } from "../lib/session/cookie.ts";

/** A browser's cookies: what is written with an empty value or no lifetime is gone. */
export class Browser implements CookieJar {
  readonly cookies = new Map<string, string>();
  readonly options = new Map<string, Record<string, unknown>>();
  writes = 0;

  read(name: string): string | undefined {
    return this.cookies.get(name);
  }

  write(name: string, value: string, options: object = {}): void {
    this.writes += 1;
    const { maxAge } = options as { maxAge?: number };
    if (value === "" || maxAge === 0) this.cookies.delete(name);
    else this.cookies.set(name, value);
    this.options.set(name, { ...options });
  }

  copy(): Browser {
    const copy = new Browser();
    for (const [name, value] of this.cookies) copy.cookies.set(name, value);
    return copy;
  }

  /** The `Cookie` header. */
  get header(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}
