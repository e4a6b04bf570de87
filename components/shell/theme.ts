export const themeCookie = "tokendesk-theme";

export type Theme = "system" | "light" | "dark";

export function parseTheme(cookie: string | undefined): Theme {
  return cookie === "light" || cookie === "dark" ? cookie : "system";
}

/** In the browser: the class at once, the cookie for the next page. */
export function applyTheme(theme: Theme): void {
  const { classList } = document.documentElement;
  classList.remove("light", "dark");
  if (theme !== "system") classList.add(theme);
  const secure = location.protocol === "https:" ? "; Secure" : "";
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing on plain http and in Firefox
  document.cookie =
    theme === "system"
      ? `${themeCookie}=; Path=/; Max-Age=0; SameSite=Lax${secure}`
      : `${themeCookie}=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

/** In the browser: the theme that the page has now. */
export function currentTheme(): Theme {
  const { classList } = document.documentElement;
  return classList.contains("light") ? "light" : classList.contains("dark") ? "dark" : "system";
}
