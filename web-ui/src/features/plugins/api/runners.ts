import { useQuery } from "@tanstack/react-query";

import type { components } from "@/lib/api";
import { bodyOf, http } from "@/lib/http";
import { polled, withLimit } from "@/lib/polling";

export type Runner = components["schemas"]["RunnerInfo"];
export type Device = components["schemas"]["DeviceOnRunner"];

/** A runner with the devices that it has. */
export interface RunnerWithDevices {
  runner: Runner;
  devices: Device[];
}

const EVERY_MS = 2_000;

/** Every runner and its devices, asked every two seconds. */
export function useRunners() {
  return useQuery({
    ...polled,
    queryKey: ["runners"],
    queryFn: async ({ signal: given }): Promise<RunnerWithDevices[]> => {
      const signal = withLimit(given);
      const [runners, devices] = await Promise.all([
        http.GET("/v1/runners", { signal }),
        http.GET("/v1/devices", { signal }),
      ]);
      const all = bodyOf(devices);
      return bodyOf(runners).map((runner) => ({
        runner,
        devices: all.filter((device) => device.runner_id === runner.runner_id),
      }));
    },
    refetchInterval: EVERY_MS,
  });
}
