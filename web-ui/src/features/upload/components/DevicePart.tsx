import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { type DeviceChoice, DeviceSelector } from "@/components/controls/DeviceSelector";

import { devicesQuery } from "../api/devices";
import { texts } from "../texts";
import classes from "./Analyze.module.css";
import { Part } from "./Part";

/** Where the job is to run. */
export function DevicePart({ device, onChoose }: { device: DeviceChoice; onChoose: (device: DeviceChoice) => void }) {
  const { data } = useQuery(devicesQuery);
  const hasNoGpu = data !== undefined && !data.some(({ kind }) => kind === "gpu");
  return (
    <Part title={texts.device.title}>
      <div className={classes.device}>
        <DeviceSelector value={device} onChange={onChoose} unavailable={hasNoGpu ? ["gpu"] : []} />
        {hasNoGpu ? (
          <Text size="xs" c="dimmed" mt={4}>
            {texts.device.noGpu}
          </Text>
        ) : null}
      </div>
    </Part>
  );
}
