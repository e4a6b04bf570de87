#!/usr/bin/env node
// `npx tokendesk …`: scripts/tokendesk.ts, in the folder that it is called from.
process.argv.splice(2, 0, "tokendesk");
await import("./launch.mjs");
