/**
 * "Who may import whom", as a gate. One row per layer: its folder, and what of ours it may import besides itself.
 * Only downward; type imports count too.
 */
const errors = "^lib/errors\\.ts$";
const env = "^lib/env\\.ts$";
const logger = "^lib/logger\\.ts$";
const metrics = "^lib/metrics\\.ts$";
const format = "^lib/format\\.ts$";
const inTime = "^lib/in-time\\.ts$";
const texts = "^lib/texts/";
// The house promises that these are safe to import anywhere.
const schema = "^lib/[^/]+/schema\\.ts$";
const lib = (name) => `^lib/${name}/`;

const layers = {
  // The readiness probe asks the database itself.
  readiness: { at: "^app/api/ready/", may: [lib("http"), lib("db")] },
  monitoring: { at: "^app/api/metrics/", may: [lib("auth"), lib("http"), metrics] },
  app: {
    at: "^app/(?!api/(ready|metrics)/)",
    may: [
      "^components/",
      ...["auth", "http", "tokens", "accounts", "team", "incidents", "keys", "notify", "audit"].map(lib),
      errors,
      format,
      texts,
    ],
  },
  // The proxy redirects to the sign-in page, whose path is a pure function beside the guard.
  proxy: { at: "^proxy\\.ts$", may: [lib("session"), "^lib/auth/return-path\\.ts$", env, errors] },
  components: { at: "^components/", may: [errors, format, texts] },
  // Numbers come to them as numbers; a language may bring its own way to write them.
  texts: { at: texts, may: [format] },
  http: { at: lib("http"), may: [lib("auth"), lib("keys"), env, errors, logger, metrics] },
  auth: {
    at: lib("auth"),
    may: [lib("session"), lib("ringcx"), lib("audit"), lib("notify"), env, errors, logger, inTime],
  },
  // Who reports with an API key instead of a session.
  keys: { at: lib("keys"), may: [lib("auth"), lib("audit"), lib("db"), env, errors, logger] },
  // It tells of things and knows nothing of them.
  notify: { at: lib("notify"), may: [lib("audit"), lib("db"), env, errors, logger, metrics] },
  tokens: { at: lib("tokens"), may: [lib("ringcx"), lib("audit"), lib("db"), lib("notify"), env, errors, logger] },
  accounts: { at: lib("accounts"), may: [lib("ringcx"), lib("audit"), lib("db"), env, errors] },
  incidents: {
    at: lib("incidents"),
    may: [lib("tokens"), lib("ringcx"), lib("audit"), lib("db"), lib("notify"), env, errors, logger, inTime, format],
  },
  team: {
    at: lib("team"),
    may: [lib("incidents"), lib("tokens"), lib("ringcx"), lib("audit"), lib("db"), env, errors, logger, format],
  },
  session: { at: lib("session"), may: [lib("ringcx"), lib("audit"), lib("db"), env, errors, logger, inTime] },
  audit: { at: lib("audit"), may: [lib("db"), env, errors, logger, inTime] },
  ringcx: { at: lib("ringcx"), may: [env, errors, logger, metrics] },
  db: { at: lib("db"), may: [env, errors, logger, inTime] },
  schemas: { at: schema, may: [errors] },
  // instrumentation.ts calls it to put the parts together.
  start: { at: "^lib/start\\.ts$", may: ["^lib/"] },
  foundation: { at: "^lib/(env|logger|errors|format|metrics|in-time)\\.ts$", may: [] },
};

const test = "\\.test\\.tsx?$";
const ours = "^(app|lib|components|sandbox|scripts|e2e|bench|test)/|^[^/]+\\.tsx?$";

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(layers).map(([name, { at, may }]) => ({
      name: `layer: ${name}`,
      comment: `${name} may import only itself, the schemas ${may.map((path) => `and ${path}`).join(" ")}`,
      severity: "error",
      from: { path: at, pathNot: at === schema ? test : [test, schema] },
      to: { path: ours, pathNot: [at, schema, ...may] },
    })),
    {
      name: "layer unknown",
      comment: "A folder under lib/ that has no row in the table: give it one.",
      severity: "error",
      from: { path: "^lib/", pathNot: [test, ...Object.values(layers).map(({ at }) => at)] },
      to: {},
    },
    {
      name: "client-safe components",
      comment: "A component may be sent to the browser: no Node builtin may come with it.",
      severity: "error",
      from: { path: "^components/", pathNot: test },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "sandbox stands alone",
      comment: "It must not share a bug, or a belief about RingCX, with the code that it tests.",
      severity: "error",
      from: { path: "^sandbox/", pathNot: test },
      to: { path: ours, pathNot: "^sandbox/" },
    },
    {
      name: "sandbox is apart",
      comment: "The stand-in for RingCX must never reach the dashboard.",
      severity: "error",
      from: { pathNot: [test, "^(sandbox|scripts|e2e|bench|test)/"] },
      to: { path: "^sandbox/" },
    },
    {
      name: "tests are leaves",
      severity: "error",
      from: { pathNot: [test, "^(e2e|test)/"] },
      to: { path: [test, "^(e2e|test)/"] },
    },
    { name: "no circles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no barrels",
      comment: "Import from the module that defines the name.",
      severity: "error",
      from: { pathNot: "node_modules" },
      to: { path: "(^|/)index\\.tsx?$", pathNot: "node_modules" },
    },
    {
      name: "resolvable",
      severity: "error",
      from: { pathNot: "node_modules" },
      // Next makes CSS and its type files known to the compiler, not to a resolver.
      to: { couldNotResolve: true, pathNot: "\\.css$|^\\./\\.next/" },
    },
  ],
  options: {
    // TypeScript 7 has no JavaScript API to parse with.
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(\\.next|\\.setup|data)/|^next-env\\.d\\.ts$" },
    // For `@/`: the tsconfig cannot be read without that API either.
    webpackConfig: { fileName: "scripts/resolve.cjs" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".d.ts", ".mjs", ".js", ".cjs", ".json"],
    },
    skipAnalysisNotInRules: true,
  },
};
