import "server-only";
import { notify } from "@/lib/notify/notify";

/**
 * Tells of many denied sign-ins in a short time: from one address, or for one name from anywhere. Counted in this
 * process.
 */
const windowMs = 10 * 60_000;
const quietMs = 60 * 60_000;
const limit = 10;
const maxKeys = 20_000;

/** By address or name: when sign-ins were denied lately, and when that was told last. */
type Memory = Map<string, { times: number[]; toldAt: number }>;
const slot = Symbol.for("tokendesk.denials.bursts");
type Slot = { [slot]?: Memory };

function memory(): Memory {
  const holder = globalThis as Slot;
  holder[slot] ??= new Map();
  return holder[slot];
}

type Denied = {
  address: string;
  /** As it was typed; empty: nobody has said it. */
  username: string;
  /** As it may be told. */
  shownName: string;
};

/** Counts a denied sign-in, and tells of the burst that it completes: once an hour for each address or name. */
export async function noteDenied({ address, username, shownName }: Denied): Promise<void> {
  const now = Date.now();
  const [from, to] = [`a ${address}`, `u ${username.toLowerCase()}`];
  const [fromAddress, forName] = [count(from, now), username === "" ? 0 : count(to, now)];
  if (fromAddress >= limit && !wasTold(from, now)) {
    told(from, now);
    await notify({ type: "access.denied_burst", tenant: null, address, name: null, attempts: fromAddress });
  } else if (forName >= limit && !wasTold(to, now) && !wasTold(from, now)) {
    // One address that tries one name is one burst. The next try from elsewhere tells of the name.
    told(to, now);
    await notify({ type: "access.denied_burst", tenant: null, address: null, name: shownName, attempts: forName });
  }
}

/** How many there were lately, this one included. */
function count(key: string, now: number): number {
  const known = memory().get(key);
  const times = [...(known?.times ?? []).filter((at) => at + windowMs > now).slice(-limit + 1), now];
  memory().delete(key);
  if (memory().size >= maxKeys) memory().delete(memory().keys().next().value as string);
  memory().set(key, { times, toldAt: known?.toldAt ?? 0 });
  return times.length;
}

function told(key: string, now: number): void {
  const known = memory().get(key);
  if (known) known.toldAt = now;
}

function wasTold(key: string, now: number): boolean {
  return (memory().get(key)?.toldAt ?? 0) + quietMs > now;
}
