import { SimpleGrid, Stack, Title } from "@mantine/core";

import { EmptyState } from "@/components/feedback/EmptyState";
import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { StaleSince } from "@/components/feedback/StaleSince";
import { Spinner } from "@/components/Spinner";

import { useRunners } from "../../api/runners";
import { texts } from "../../texts";
import { RunnerCard } from "./RunnerCard";

/** Every runner with its devices, slots, jobs and plugins. */
export function DevicesScreen({ title }: { title: string }) {
  const { data, error, isPending, dataUpdatedAt, refetch } = useRunners();
  const isNoneAlive = data?.every(({ runner }) => runner.state === "lost") === true;
  return (
    <Stack>
      <Title order={1}>{title}</Title>
      {isPending ? <Spinner label={texts.devices.loading} /> : null}
      {data === undefined && error !== null ? (
        <ProblemPanel isPolled error={error} onRetry={() => void refetch()} />
      ) : null}
      {data === undefined ? null : <StaleSince error={error} answeredAtMs={dataUpdatedAt} />}
      {isNoneAlive ? <EmptyState {...texts.devices.empty} /> : null}
      <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
        {data?.map((one) => (
          <RunnerCard key={one.runner.runner_id} {...one} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}
