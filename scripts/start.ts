import { existsSync } from "node:fs";
import { run } from "./processes.ts";
import { build, dashboardEnvironment, hasBuild, serverScript } from "./setup.ts";

if (!hasBuild()) {
  console.log("There is no build yet: building the dashboard");
  const code = await build();
  if (code !== 0) process.exit(code);
}
// The variables that are set already win over the file's.
if (existsSync(".env")) process.loadEnvFile(".env");
process.exitCode = await run(serverScript, process.argv.slice(2), { env: dashboardEnvironment(process.env) });
