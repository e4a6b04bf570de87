import "server-only";
import type { z } from "zod";
import { TokendeskError } from "@/lib/errors";

/**
 * The parameters of an address, all of them known and none given twice.
 * @throws {TokendeskError} `invalid_input`; it names parameters, and never what stood in them
 */
export function parseParameters<T>(schema: z.ZodType<T>, parameters: URLSearchParams): T {
  const names = [...parameters.keys()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  const parsed = schema.safeParse(Object.fromEntries(parameters));
  if (parsed.success && twice === undefined) return parsed.data;
  const errors = parsed.success
    ? [{ path: nameOf(twice), message: "must be given once" }]
    : parsed.error.issues.map((issue) =>
        issue.code === "unrecognized_keys"
          ? { path: "", message: `Unknown parameter: ${issue.keys.map(nameOf).join(", ")}` }
          : { path: issue.path.join("."), message: issue.message },
      );
  const detail = errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
  throw new TokendeskError("invalid_input", detail, { extensions: { errors } });
}

/** Whatever stands in place of a name, a pasted token too, would be echoed. */
function nameOf(name: string | undefined): string {
  return name !== undefined && /^[A-Za-z]{1,24}$/.test(name) ? name : "(not a name)";
}
