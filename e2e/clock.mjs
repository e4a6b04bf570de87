/** Loaded into a server before it starts: its clock is ahead by as many milliseconds as the file TEST_CLOCK says. */
import { readFileSync } from "node:fs";

const file = process.env.TEST_CLOCK;
const now = Date.now;
let ahead = 0;
setInterval(() => {
  ahead = Number(readFileSync(file, "utf8"));
}, 20).unref();
Date.now = () => now() + ahead;
