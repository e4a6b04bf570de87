import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { fateOfProcess, nameProcess } from "@/lib/audit/process";

const [host, pid, random, space, start] = nameProcess().split(":");
const dead = spawnSync("true").pid;

test("a name tells the host, the PID and where it means something", () => {
  expect(Number(pid)).toBe(process.pid);
  expect([host, random, space, start].every((part) => part !== undefined && part !== "")).toBe(true);
  expect(nameProcess()).not.toBe(nameProcess());
  expect(nameProcess().split(":").slice(3)).toEqual([space, start]);
});

test.each([
  ["a process that has ended", `${host}:${dead}:x:${space}:1`, "gone"],
  ["one that had our own number before us", `${host}:${process.pid}:x:${space}:1`, "gone"],
  ["one whose number another has now", `${host}:${process.ppid}:x:${space}:1`, "gone"],
  ["one that runs", `${host}:${process.ppid}:x:${space}:-`, "out_of_sight"],
  ["another host's", `elsewhere:${dead}:x:${space}:1`, "out_of_sight"],
  ["another container's of the same host name", `${host}:${dead}:x:1.elsewhere:1`, "out_of_sight"],
  ["another container's that has our number", `${host}:${process.pid}:x:1.elsewhere:${start}`, "out_of_sight"],
  ["an old name's that has ended", `${host}:${dead}:x`, "gone"],
  ["an old name's that runs", `${host}:${process.ppid}:x`, "out_of_sight"],
  ["no name's", "", "out_of_sight"],
])("what has become of %s", (_, name, fate) => {
  expect(fateOfProcess(name)).toBe(fate);
});
