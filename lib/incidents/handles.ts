import "server-only";
import { createHash, hkdfSync } from "node:crypto";
import { sealData, unsealData } from "iron-session";
import { z } from "zod";
import { env } from "@/lib/env";
import type { Investigator } from "@/lib/incidents/investigator";
import { tokenValue } from "@/lib/ringcx/schemas";
import { markToken } from "@/lib/tokens/fingerprint";

/**
 * The ID of a finding: `{tokenId}.{sealed}`. The value travels with it under a seal that only this installation opens,
 * and only for who brought the string, so that no server has to keep it: any replica can go on where another one was
 * killed (docs/decisions/0013-incident-desk.md).
 */

/** As long as a case takes that began before midnight and is finished after breakfast. */
const lifeSeconds = 24 * 3600;

const sealedSchema = z.object({ i: z.uuid(), v: tokenValue, w: z.string(), t: z.number() });

/** `openedAt`: when the text came in, epoch milliseconds. */
export type Opened = { incident: string; value: string; tokenId: string; openedAt: number };

/** Seals name the key that made them; the list of SESSION_SECRETs shifts at each rotation, so the name comes from the key. */
function keyOf(secret: string): [number, string] {
  const id = createHash("sha256").update(secret).digest().readUInt32BE(0) >>> 1;
  return [id, Buffer.from(hkdfSync("sha256", secret, "", "tokendesk findings", 32)).toString("base64url")];
}

/** The first seals, all open. */
const keys = (secrets: readonly string[]) => Object.fromEntries(secrets.map(keyOf));

const bound = ({ tenant, seal }: Pick<Investigator, "tenant" | "seal">) =>
  createHash("sha256").update(`${tenant} ${seal}`).digest("base64url");

/** IDs for values, in their order. */
export async function sealFindings(
  investigator: Pick<Investigator, "tenant" | "seal">,
  { incident, openedAt }: { incident: string; openedAt: number },
  values: readonly string[],
): Promise<string[]> {
  const [password, w] = [keys(env().sessionSecrets.slice(0, 1)), bound(investigator)];
  return Promise.all(
    values.map(async (value) => {
      const sealed = await sealData({ i: incident, v: value, w, t: openedAt }, { password, ttl: lifeSeconds });
      return `${markToken(value).id}.${sealed}`;
    }),
  );
}

/** What the IDs stand for; null where one is too old, changed, or somebody else's. */
export async function openFindings(
  investigator: Pick<Investigator, "tenant" | "seal">,
  ids: readonly string[],
): Promise<(Opened | null)[]> {
  const [password, w] = [keys(env().sessionSecrets), bound(investigator)];
  return Promise.all(
    ids.map(async (id) => {
      const sealed = id.slice(id.indexOf(".") + 1);
      // What is no seal at all makes it throw; what is one of others, or over, comes back empty.
      const data = await unsealData(sealed, { password, ttl: lifeSeconds }).catch(() => null);
      const parsed = sealedSchema.safeParse(data);
      if (!parsed.success || parsed.data.w !== w) return null;
      const { i: incident, v: value, t: openedAt } = parsed.data;
      const tokenId = markToken(value).id;
      return id.startsWith(`${tokenId}.`) ? { incident, value, tokenId, openedAt } : null;
    }),
  );
}
