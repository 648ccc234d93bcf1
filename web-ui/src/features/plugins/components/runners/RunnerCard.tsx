import { Anchor, Card, Group, Stack, Text, Title } from "@mantine/core";
import { Link } from "react-router";

import { StaleNotice } from "@/components/feedback/StaleNotice";
import { Meter } from "@/components/ui/Meter";
import { StatusBadge } from "@/components/ui/StatusBadge";
import { durationText, momentText } from "@/lib/format";

import type { RunnerWithDevices } from "../../api/runners";
import { texts } from "../../texts";
import { DeviceMeters } from "./DeviceMeters";
import { RunnerPlugins } from "./RunnerPlugins";

/** A runner: its devices, how many of its slots are busy and with which jobs, and its plugins. */
export function RunnerCard({ runner, devices }: RunnerWithDevices) {
  return (
    <Card withBorder component="article" aria-label={runner.runner_id} padding="lg">
      <Stack gap="md">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <div>
            <Title order={2} size="h4">
              {runner.runner_id}
            </Title>
            <Text size="xs" c="dimmed">
              {runner.host} · {texts.devices.startedAt(runner.version, momentText(runner.started_at))}
            </Text>
          </div>
          <StatusBadge status={runner.state} />
        </Group>
        {runner.state === "lost" ? <StaleNotice text={texts.devices.lost(durationText(runner.silent_s))} /> : null}
        {runner.draining && runner.state !== "lost" ? <Text size="sm">{texts.devices.draining}</Text> : null}
        {devices.length === 0 ? (
          <Text size="sm" c="dimmed">
            {texts.devices.noDevices}
          </Text>
        ) : (
          devices.map((device) => <DeviceMeters key={device.name} device={device} />)
        )}
        <div>
          <Meter
            label={texts.devices.slots}
            ratio={runner.slots === 0 ? 0 : runner.slots_busy / runner.slots}
            text={texts.devices.busy(runner.slots_busy, runner.slots)}
          />
          <RunnerJobs jobs={runner.jobs} />
        </div>
        <RunnerPlugins plugins={runner.plugins} />
      </Stack>
    </Card>
  );
}

function RunnerJobs({ jobs }: { jobs: readonly string[] }) {
  if (jobs.length === 0) {
    return (
      <Text size="xs" c="dimmed" mt={6}>
        {texts.devices.noJobs}
      </Text>
    );
  }
  return (
    <Group component="ul" aria-label={texts.devices.jobs} gap="sm" mt={6} p={0} mb={0}>
      {jobs.map((id) => (
        <Text key={id} component="li" size="sm" display="block">
          <Anchor component={Link} to={`/jobs/${id}`} underline="always">
            {texts.devices.job(id.slice(-8))}
          </Anchor>
        </Text>
      ))}
    </Group>
  );
}
