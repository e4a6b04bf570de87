import { build } from "./setup.ts";

process.exitCode = await build();
