/**
 * Texts for people, without a locale: the same on the server and in every browser, so that hydration agrees.
 * Times come in as ISO 8601 in UTC.
 */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

export const zones = ["local", "utc"] as const;
/** Where a time is shown: the reader's own zone (known in the browser only) or UTC. */
export type Zone = (typeof zones)[number];

const two = (value: number) => String(value).padStart(2, "0");

function parts(iso: string, zone: Zone) {
  const at = new Date(iso);
  return zone === "utc"
    ? [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()]
    : [at.getFullYear(), at.getMonth(), at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds()];
}

/** `23 Nov 2026`. */
export function formatDay(iso: string, zone: Zone): string {
  const [year = 0, month = 0, day = 0] = parts(iso, zone);
  return `${day} ${months[month]} ${year}`;
}

/** `12:20:06`, with `UTC` after it when that is the zone. */
export function formatClock(iso: string, zone: Zone): string {
  const [, , , hours = 0, minutes = 0, seconds = 0] = parts(iso, zone);
  return `${two(hours)}:${two(minutes)}:${two(seconds)}${zone === "utc" ? " UTC" : ""}`;
}

/** `23 Nov 2026, 12:20:06 UTC`. */
export function formatInstant(iso: string, zone: Zone): string {
  return `${formatDay(iso, zone)}, ${formatClock(iso, zone)}`;
}

/** How far the reader's own zone was from UTC at that moment: `UTC+01:00`. */
export function formatOffset(iso: string): string {
  const minutes = -new Date(iso).getTimezoneOffset();
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** A calendar date, which has no zone: `2026-12-31` -> `31 Dec 2026`. */
export function formatDate(date: string): string {
  return formatDay(`${date}T00:00:00Z`, "utc");
}

/** The calendar date in UTC, `days` from now: `2026-12-31`. */
export function dateAhead(days: number, now = Date.now()): string {
  return new Date(now + days * 86_400_000).toISOString().slice(0, 10);
}

/** Whole days from one calendar date to another; negative when `to` is earlier. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

/** How many calendar days in UTC an instant lies back: `today`, `1 day ago`. */
export function daysAgo(iso: string, today: string): string {
  const days = daysBetween(iso.slice(0, 10), today);
  return days <= 0 ? "today" : `${plural(days, "day")} ago`;
}

/** `10,000`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 token`, `10,000 tokens`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `1 min 20 s`, `45 s`. */
export function formatSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
