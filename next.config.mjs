const root = import.meta.dirname;

/** @type {import("next").NextConfig} */
export default {
  output: "standalone",
  poweredByHeader: false,
  experimental: {
    // What Next holds of a body for the proxy, before anything of ours has seen the request: a little more than the
    // 64 KB that lib/http/route.ts takes.
    proxyClientMaxBodySize: "96kb",
    // Each page is loaded at its first visit, which takes some tens of milliseconds more. All of them at the start would
    // keep the process from its first request for half as long again, and cost it a quarter of its memory.
    preloadEntriesOnStart: false,
  },
  reactStrictMode: true,
  // Bundled, its use of `url.parse` counts as ours, and Node complains of it on stderr.
  serverExternalPackages: ["openid-client"],
  // The image optimizer has had its own advisories, and nothing here needs it.
  images: { unoptimized: true },
  // `npm run check` does it, tests included, and CI runs that first.
  typescript: { ignoreBuildErrors: true },
  // On every answer, static files included. What depends on the request or the environment is set in proxy.ts.
  headers: async () => [
    {
      source: "/:path*",
      headers: [
        { key: "X-Content-Type-Options", value: "nosniff" },
        { key: "Referrer-Policy", value: "same-origin" },
        { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
        { key: "Cross-Origin-Resource-Policy", value: "same-origin" },
        {
          key: "Permissions-Policy",
          value: "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
        },
        { key: "X-Frame-Options", value: "DENY" },
      ],
    },
  ],
  // Otherwise Next takes the topmost folder with a lockfile, and a clone inside another project builds into a subfolder.
  outputFileTracingRoot: root,
  turbopack: { root },
  outputFileTracingExcludes: {
    // A path that is computed at run time makes Next copy the whole folder beside the server. Never the data, and with
    // it the secrets; the build script then removes the rest.
    "/*": ["./data/**/*"],
    // Half of the output, for the optimizer that is off.
    "next-server": ["./node_modules/@img/**/*", "./node_modules/sharp/**/*"],
  },
};
