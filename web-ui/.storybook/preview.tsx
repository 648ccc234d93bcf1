import "@mantine/core/styles.css";

import { MantineProvider } from "@mantine/core";
import type { Preview } from "@storybook/react-vite";

import { readableColours, theme } from "@/app/theme";

const preview: Preview = {
  decorators: [
    (Story) => (
      <MantineProvider theme={theme} defaultColorScheme="auto" cssVariablesResolver={readableColours}>
        <Story />
      </MantineProvider>
    ),
  ],
};
export default preview;
