/** Loaded into a server before it starts: its clock is ahead by as many milliseconds as the file TEST_CLOCK says. */
import { readFileSync } from "node:fs";

const file = process.env.TEST_CLOCK;
const now = Date.now;
// Each time anew: whoever has turned it can rely on it.
Date.now = () => now() + Number(readFileSync(file, "utf8"));
