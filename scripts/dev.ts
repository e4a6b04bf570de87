import { run } from "./processes.ts";
import { nextBin } from "./setup.ts";

const host = process.env.HOSTNAME || "127.0.0.1";
process.exitCode = await run(nextBin, ["dev", "--hostname", host, ...process.argv.slice(2)]);
