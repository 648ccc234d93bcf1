import { Group, Radio, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";

import { StatusBadge } from "@/components/ui/StatusBadge";

import { isUsable, type PluginHealth, pluginQuery } from "../api/plugins";
import { kindsOf, kindsText } from "../media/fit";
import { texts } from "../texts";
import classes from "./Cards.module.css";
import { PluginPicture } from "./PluginPicture";

/** One plugin to choose; a broken one says why it cannot be chosen. */
export function PluginCard({ plugin }: { plugin: PluginHealth }) {
  const id = useId();
  const report = useQuery(pluginQuery(plugin.name));
  const kinds = kindsOf(report.data?.tools ?? []);
  const canChoose = isUsable(plugin);
  return (
    <Radio.Card
      value={plugin.name}
      disabled={!canChoose}
      className={classes.card}
      aria-labelledby={`${id}-name`}
      aria-describedby={`${id}-what`}
    >
      {report.isPending ? (
        <Skeleton h={96} radius={0} />
      ) : (
        <PluginPicture name={plugin.name} kinds={kinds.length === 0 ? ["video"] : kinds} />
      )}
      <Stack gap={6} p="sm">
        <Group gap="xs" wrap="nowrap" align="flex-start">
          <Radio.Indicator disabled={!canChoose} mt={2} />
          <Text fw={600} id={`${id}-name`} className={classes.name}>
            {plugin.name}
          </Text>
          {canChoose ? null : <StatusBadge status={plugin.state.toLowerCase()} />}
        </Group>
        <Stack gap={4} id={`${id}-what`}>
          {plugin.description === "" ? null : (
            <Text size="sm" c="dimmed">
              {plugin.description}
            </Text>
          )}
          {canChoose ? null : (
            <Text size="sm" className={classes.reason}>
              {plugin.reason ?? texts.plugins.noReason}
            </Text>
          )}
          <Text size="xs" c="dimmed">
            {[kinds.length === 0 ? null : texts.plugins.takes(kindsText(kinds)), versionText(plugin)]
              .filter((part) => part !== null)
              .join(" · ")}
          </Text>
        </Stack>
      </Stack>
    </Radio.Card>
  );
}

function versionText({ version }: PluginHealth): string | null {
  return version === null || version === undefined ? null : `v${version}`;
}
