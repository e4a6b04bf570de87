/**
 * Lets a script import the app's own modules, as the bundler does: `@/...` is this folder, and the `server-only` marker
 * is nothing. Import it first, then `await import("@/lib/...")`.
 */
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "server-only") return { url: "data:text/javascript,", shortCircuit: true };
    if (!specifier.startsWith("@/")) return next(specifier, context);
    const url = new URL(specifier.slice(2), root);
    return next(existsSync(fileURLToPath(url)) ? url.href : `${url.href}.ts`, context);
  },
});
