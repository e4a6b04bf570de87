import "server-only";
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

const unknown = "-";

/**
 * A name for this process: `host:pid:random:space:start`. A PID says something only within its `space`, the PID namespace
 * and the boot of the kernel: containers share host names. `start` tells two processes apart that had one PID in turn.
 * Both are `-` where the system does not say; names of before have neither.
 */
export function nameProcess(): string {
  const random = randomBytes(6).toString("hex");
  return [host(), process.pid, random, space(), startOf(process.pid)].join(":");
}

/** What has become of a process with a name that is not this one's. */
export function fateOfProcess(name: string): "gone" | "out_of_sight" {
  const [itsHost, itsPid, , itsSpace, itsStart] = name.split(":");
  if (itsHost !== host() || (itsSpace !== undefined && itsSpace !== space())) return "out_of_sight";
  const pid = Number(itsPid);
  // Another one with our own number: a container that was started again.
  if (pid === process.pid) return "gone";
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? "gone" : "out_of_sight";
  }
  const start = startOf(pid);
  const isAnother = itsStart !== undefined && itsStart !== unknown && start !== unknown && start !== itsStart;
  return isAnother ? "gone" : "out_of_sight";
}

function host(): string {
  return hostname().replaceAll(":", "_");
}

function space(): string {
  try {
    const [number] = /\d+/.exec(readlinkSync("/proc/self/ns/pid")) ?? [];
    // The first namespace has the same number on every machine.
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return number === undefined ? unknown : `${number}.${boot}`;
  } catch {
    return unknown;
  }
}

/** When a process began, in ticks since the boot. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the command's name, with anything in it; this is the 22nd.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? unknown;
  } catch {
    return unknown;
  }
}
