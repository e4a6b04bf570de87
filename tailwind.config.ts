import type { Config } from "tailwindcss";

/**
 * The design tokens by name. Their values stand in app/globals.css, once for light and once for dark, so that a
 * class such as `bg-surface` needs no `dark:` twin. Semantic colours only: red is for what cannot be undone.
 */
export default {
  content: ["./app/**/*.{ts,tsx}", "./components/**/*.{ts,tsx}"],
  theme: {
    extend: {
      colors: {
        surface: "var(--surface)",
        sunken: "var(--sunken)",
        hover: "var(--hover)",
        line: "var(--line)",
        edge: "var(--edge)",
        ink: "var(--ink)",
        dim: "var(--dim)",
        faint: "var(--faint)",
        solid: { DEFAULT: "var(--solid)", hover: "var(--solid-hover)", ink: "var(--solid-ink)" },
        accent: { DEFAULT: "var(--accent)", soft: "var(--accent-soft)" },
        danger: {
          DEFAULT: "var(--danger)",
          soft: "var(--danger-soft)",
          solid: "var(--danger-solid)",
          hover: "var(--danger-solid-hover)",
        },
        warn: { DEFAULT: "var(--warn)", soft: "var(--warn-soft)" },
        good: { DEFAULT: "var(--good)", soft: "var(--good-soft)" },
      },
      fontFamily: {
        sans: ["var(--font-geist-sans)", "ui-sans-serif", "system-ui", "sans-serif"],
        mono: ["var(--font-geist-mono)", "ui-monospace", "SFMono-Regular", "Menlo", "monospace"],
      },
      fontSize: {
        "2xs": ["0.6875rem", { lineHeight: "1rem" }],
        xs: ["0.75rem", { lineHeight: "1.125rem" }],
        sm: ["0.8125rem", { lineHeight: "1.25rem" }],
        base: ["0.875rem", { lineHeight: "1.375rem" }],
        lg: ["1rem", { lineHeight: "1.5rem" }],
        xl: ["1.25rem", { lineHeight: "1.75rem", letterSpacing: "-0.015em" }],
        "2xl": ["1.625rem", { lineHeight: "2rem", letterSpacing: "-0.022em" }],
      },
      borderRadius: { sm: "4px", md: "6px", lg: "8px", xl: "12px" },
      boxShadow: {
        raised: "0 1px 2px 0 var(--shade-1)",
        overlay: "0 0 0 1px var(--shade-2), 0 8px 24px -6px var(--shade-3), 0 24px 56px -16px var(--shade-3)",
      },
      keyframes: {
        appear: { from: { opacity: "0" } },
        rise: { from: { opacity: "0", transform: "translateY(6px) scale(0.99)" } },
        slide: { from: { transform: "translateX(-100%)" } },
        enter: { from: { transform: "translateX(2rem)", opacity: "0" } },
        sweep: { from: { transform: "translateX(-100%)" }, to: { transform: "translateX(400%)" } },
        breathe: { "50%": { opacity: "0.45" } },
      },
      animation: {
        appear: "appear 120ms ease-out",
        rise: "rise 160ms cubic-bezier(0.2, 0.8, 0.2, 1)",
        slide: "slide 180ms cubic-bezier(0.2, 0.8, 0.2, 1)",
        enter: "enter 180ms cubic-bezier(0.2, 0.8, 0.2, 1)",
        sweep: "sweep 1.1s ease-in-out infinite",
        breathe: "breathe 1.6s ease-in-out infinite",
        late: "appear 200ms 400ms ease-out backwards",
      },
    },
  },
} satisfies Config;
