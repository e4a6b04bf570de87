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
const env = dashboardEnvironment(process.env);
const checked = await run(process.execPath, ["--conditions=react-server", "scripts/environment.ts"], { env });
process.exitCode = checked === 0 ? await run(serverScript, process.argv.slice(2), { env }) : checked;
