import { Chip, Group, NativeSelect } from "@mantine/core";

import { STATUSES } from "../api/job";
import type { JobFilters } from "../api/mergeJobs";
import { usePluginNames } from "../api/pluginNames";
import { texts } from "../texts";

interface Props {
  filters: JobFilters;
  onChange: (change: Partial<JobFilters>) => void;
}

/** Narrows the list by status and plugin. */
export function JobFilterBar({ filters, onChange }: Props) {
  const names = usePluginNames();
  const offered = filters.plugin === null || names.includes(filters.plugin) ? names : [...names, filters.plugin];
  return (
    <Group gap="sm" align="center">
      <Chip.Group
        multiple
        value={[...filters.statuses]}
        onChange={(chosen) => onChange({ statuses: STATUSES.filter((status) => chosen.includes(status)) })}
      >
        <Group gap={6} role="group" aria-label={texts.status}>
          {STATUSES.map((status) => (
            <Chip key={status} value={status} size="xs" radius="xl">
              {status}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <NativeSelect
        size="xs"
        aria-label={texts.plugin}
        value={filters.plugin ?? ""}
        onChange={(event) => onChange({ plugin: event.currentTarget.value || null })}
        data={[{ value: "", label: texts.anyPlugin }, ...offered.map((name) => ({ value: name, label: name }))]}
      />
    </Group>
  );
}
