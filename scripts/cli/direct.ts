/** RingCX itself, with the engine of the incident desk in this process. Its memory is a folder that is gone afterwards. */
import { userInfo } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Investigator } from "../../lib/incidents/investigator.ts";
import type { IncidentReport } from "../../lib/incidents/schema.ts";
import { type Backend, linesOf } from "./backend.ts";
import { environmentFor, temporaryFolder } from "./environment.ts";
import { exits, Stop } from "./stop.ts";

const defaultHost = "https://engage.ringcentral.com";

/** @throws {Stop} `usage` */
export async function directBackend(): Promise<Backend & { close(): Promise<void> }> {
  const folder = temporaryFolder();
  const env = environmentFor({ DATA_DIR: folder.path, RINGCX_HOSTS: process.env.RINGCX_HOST || defaultHost });
  const [{ streamReport }, { incidentReport }, { TokenClient }, { closeDatabase, read }] = await Promise.all([
    import("@/lib/incidents/inbound"),
    import("@/lib/incidents/report"),
    import("@/lib/ringcx/client"),
    import("@/lib/db/client"),
  ]);
  // Opened now: what cannot be written there would otherwise go on without a memory, and without a report.
  await read(async (db) => db.selectFrom("migrations").select("name").limit(1).execute()).catch(() => {
    throw new Stop(exits.failure, "The folder for temporary files cannot be written.");
  });
  const host = env.ringcxHosts[0];
  const tenant = `${new URL(host).host}|direct`;
  const name = login();
  const investigator: Investigator = {
    tenant,
    actor: { tenant, id: "command line", name, address: null, userAgent: null, requestId: null },
    user: { id: "command line", name },
    origin: "desk",
    keyName: null,
    seal: "command line",
    holding: (value, patienceMs) => new TokenClient({ host, limitKey: tenant }, value, patienceMs),
    owner: null,
  };
  return {
    afterInterruption: "The rest was not touched, or nobody knows: run the same command again.",
    async *lines({ findings, reason, ...wish }) {
      const report = {
        ...wish,
        findings: findings.map(({ source = null, ...finding }) => ({ ...finding, source })),
        source: null,
        ...(reason === undefined ? {} : { reason }),
      };
      let incident: string | null = null;
      for await (const line of linesOf(await streamReport(investigator, report))) {
        if (line.type === "result") ({ incident } = line);
        yield line;
      }
      if (incident !== null)
        yield { type: "report", report: await finished(() => incidentReport(investigator, incident)) };
    },
    async close() {
      await closeDatabase();
      folder.remove();
    },
  };
}

/** That a run is over is written down behind its last line. */
async function finished(read: () => Promise<IncidentReport>): Promise<IncidentReport> {
  const deadline = Date.now() + 3_000;
  for (;;) {
    const report = await read();
    if (report.incident.state !== "running" || Date.now() > deadline) return report;
    await delay(20);
  }
}

function login(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number without a name.
    return "command line";
  }
}
