import { createTheme } from "@mantine/core";

/** Colours and shapes of the page; components take everything else from Mantine's tokens. */
export const theme = createTheme({
  primaryColor: "cyan",
  primaryShade: { light: 9, dark: 6 },
  defaultRadius: "md",
  autoContrast: true,
  cursorType: "pointer",
});
