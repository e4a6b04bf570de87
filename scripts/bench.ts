/** `npm run bench [-- name ...]`: runs every bench/*.bench.ts, or those whose name holds one of the arguments. */
import { globSync } from "node:fs";
import { run } from "./processes.ts";

const wanted = process.argv.slice(2);
const files = globSync("bench/*.bench.ts")
  .filter((file) => wanted.length === 0 || wanted.some((name) => file.includes(name)))
  .sort();
if (files.length === 0) console.log("No benchmark matches");

for (const [i, file] of files.entries()) {
  console.log(`[${i + 1}/${files.length}] ${file}`);
  const code = await run(file, []);
  if (code !== 0) process.exitCode = 1;
}
