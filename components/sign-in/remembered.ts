import { z } from "zod";

const key = "tokendesk-sign-in";

const rememberedSchema = z.object({ host: z.string(), platformId: z.string(), username: z.string() });

/** What this device may remember. There is no password in it, by structure. */
export type Remembered = z.infer<typeof rememberedSchema>;

export function readRemembered(): Remembered | null {
  try {
    return rememberedSchema.parse(JSON.parse(localStorage.getItem(key) ?? "null"));
  } catch {
    return null;
  }
}

export function writeRemembered(remembered: Remembered | null): void {
  try {
    if (remembered) localStorage.setItem(key, JSON.stringify(rememberedSchema.parse(remembered)));
    else localStorage.removeItem(key);
  } catch {
    // Storage is off in this browser: then nothing is remembered.
  }
}
