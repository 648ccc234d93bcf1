import { Group, Loader, Text } from "@mantine/core";

/** Something is being loaded; `label` says what. */
export function Spinner({ label = "Loading" }: { label?: string }) {
  return (
    <Group role="status" aria-live="polite" gap="sm" p="md">
      <Loader size="sm" aria-hidden />
      <Text size="sm" c="dimmed">
        {label}
      </Text>
    </Group>
  );
}
