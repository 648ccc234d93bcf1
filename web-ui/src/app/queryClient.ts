import { QueryClient } from "@tanstack/react-query";

import { asProblem } from "@/lib/problem";

const MOST_TRIES = 3;

/** Answers of the services. What the server refused is not asked again; what did not reach it is. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 1_000,
      refetchOnWindowFocus: false,
      networkMode: "always", // a browser that thinks it is offline may still reach a server on its own machine
      retry: (failures, error) => {
        const { status } = asProblem(error);
        return failures < MOST_TRIES && (status === 0 || status >= 500);
      },
    },
  },
});
