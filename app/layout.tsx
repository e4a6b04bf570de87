import clsx from "clsx";
import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { PagePolicy } from "@/components/shell/page-policy";
import { parseTheme, themeCookie } from "@/components/shell/theme";
import "@/app/globals.css";
import { pagesTexts } from "@/lib/texts/pages";

const texts = pagesTexts.site;

export const metadata: Metadata = {
  title: { default: texts.name, template: texts.titleOf },
  description: texts.description,
  robots: { index: false, follow: false },
  formatDetection: { telephone: false, email: false, address: false, date: false },
};

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f3f4f6" },
    { media: "(prefers-color-scheme: dark)", color: "#0b0d11" },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  const theme = parseTheme((await cookies()).get(themeCookie)?.value);
  return (
    <html
      lang={texts.language}
      className={clsx(GeistSans.variable, GeistMono.variable, theme !== "system" && theme)}
      suppressHydrationWarning
    >
      <body>
        <PagePolicy />
        {children}
      </body>
    </html>
  );
}
