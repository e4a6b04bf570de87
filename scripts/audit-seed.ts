/**
 * `node scripts/launch.mjs audit-seed N`: fills an empty audit log with N events of 400 days, for measurements. It makes
 * the database if there is none, and refuses one that has events.
 */
import "./app-modules.ts";
import { dashboardEnvironment } from "./setup.ts";

const wanted = Number(process.argv.slice(2).find((argument) => argument !== "--"));
if (!Number.isSafeInteger(wanted) || wanted < 1) {
  console.error("Usage: audit-seed N");
  process.exit(2);
}
Object.assign(process.env, dashboardEnvironment(process.env), { LOG_LEVEL: "silent" });

const { seedAudit } = await import("@/bench/audit-events");
const { closeDatabase } = await import("@/lib/db/client");
const began = performance.now();
await seedAudit(wanted, (made) => {
  const text = `${made} of ${wanted} events`;
  process.stderr.write(process.stderr.isTTY ? `\r${text}` : `${text}\n`);
});
await closeDatabase();
console.error(`\n${wanted} events in ${((performance.now() - began) / 1000).toFixed(1)} s`);
