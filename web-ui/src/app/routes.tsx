import { createBrowserRouter } from "react-router";

import { CrashedPage } from "./CrashedPage";
import { NotFoundPage } from "./NotFoundPage";
import { Shell } from "./Shell";

/** Every address of the page. Pages load when they are first opened, each behind an error boundary of its own. */
export const router = createBrowserRouter([
  {
    element: <Shell />,
    errorElement: <CrashedPage />,
    children: [
      {
        index: true,
        errorElement: <CrashedPage />,
        lazy: async () => ({ Component: (await import("./pages/AnalyzePage")).AnalyzePage }),
      },
      {
        path: "jobs",
        errorElement: <CrashedPage />,
        lazy: async () => ({ Component: (await import("./pages/JobsPage")).JobsPage }),
      },
      {
        path: "jobs/:jobId",
        errorElement: <CrashedPage />,
        lazy: async () => ({ Component: (await import("./pages/JobPage")).JobPage }),
      },
      {
        path: "plugins",
        errorElement: <CrashedPage />,
        lazy: async () => ({ Component: (await import("./pages/PluginsPage")).PluginsPage }),
      },
      {
        path: "devices",
        errorElement: <CrashedPage />,
        lazy: async () => ({ Component: (await import("./pages/DevicesPage")).DevicesPage }),
      },
      { path: "*", element: <NotFoundPage /> },
    ],
  },
]);
