import { createBrowserRouter } from "react-router";

import { Spinner } from "@/components/Spinner";
import { texts } from "@/lib/texts";

import { CrashedPage } from "./CrashedPage";
import { NotFoundPage } from "./NotFoundPage";
import { Shell } from "./Shell";

/** Every address of the page. Pages load when they are first opened, each behind an error boundary of its own. */
export const router = createBrowserRouter([
  {
    element: <Shell />,
    errorElement: <CrashedPage />,
    hydrateFallbackElement: <Spinner />,
    children: [
      {
        index: true,
        handle: { title: texts.pages.analyze },
        errorElement: <CrashedPage />,
        lazy: async () => ({ Component: (await import("./pages/AnalyzePage")).AnalyzePage }),
      },
      {
        path: "jobs",
        handle: { title: texts.pages.jobs },
        errorElement: <CrashedPage />,
        lazy: async () => ({ Component: (await import("./pages/JobsPage")).JobsPage }),
      },
      {
        path: "jobs/:jobId",
        handle: { title: texts.pages.job },
        errorElement: <CrashedPage />,
        lazy: async () => ({ Component: (await import("./pages/JobPage")).JobPage }),
      },
      {
        path: "plugins",
        handle: { title: texts.pages.plugins },
        errorElement: <CrashedPage />,
        lazy: async () => ({ Component: (await import("./pages/PluginsPage")).PluginsPage }),
      },
      {
        path: "devices",
        handle: { title: texts.pages.devices },
        errorElement: <CrashedPage />,
        lazy: async () => ({ Component: (await import("./pages/DevicesPage")).DevicesPage }),
      },
      { path: "*", handle: { title: texts.notFound.title }, element: <NotFoundPage /> },
    ],
  },
]);
