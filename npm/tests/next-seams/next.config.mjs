const { SEAMS_LOCALES, SEAMS_NORMALIZED, AWAY_URL } = process.env;

export default {
  basePath: "/docs",
  ...(SEAMS_LOCALES && { i18n: { locales: ["en", "de"], defaultLocale: "en", localeDetection: false } }),
  skipProxyUrlNormalize: !SEAMS_NORMALIZED,
  generateBuildId: () => "build",
  rewrites: async () => [
    { source: "/away/:path*", destination: `${AWAY_URL}/:path*` },
    { source: "/alias", destination: "/who" },
  ],
};
