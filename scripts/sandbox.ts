import { run } from "./processes.ts";

process.exitCode = await run("sandbox/main.ts", process.argv.slice(2));
