import { createTheme, type CSSVariablesResolver } from "@mantine/core";

/** Colours and shapes of the page; components take everything else from Mantine's tokens. */
export const theme = createTheme({
  primaryColor: "cyan",
  primaryShade: 9, // the only shade on which white text has a contrast of 4.5 to 1
  defaultRadius: "md",
  autoContrast: true,
  cursorType: "pointer",
});

const BADGE_COLOURS = ["blue", "cyan", "gray", "green", "orange", "red", "yellow"];

/** Secondary text, errors and words on tinted ground that everybody can read: Mantine's own are below the contrast of 4.5 to 1. */
export const readableColours: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "var(--mantine-color-gray-7)",
    "--mantine-color-placeholder": "var(--mantine-color-gray-7)",
    ...Object.fromEntries(
      BADGE_COLOURS.map((name) => [
        `--mantine-color-${name}-light-color`,
        `color-mix(in srgb, var(--mantine-color-${name}-9), black 40%)`,
      ]),
    ),
    "--mantine-color-error": "var(--mantine-color-red-9)",
  },
  dark: {
    "--mantine-color-dimmed": "var(--mantine-color-dark-1)",
    "--mantine-color-placeholder": "var(--mantine-color-dark-1)",
    "--mantine-color-error": "var(--mantine-color-red-4)",
  },
});
