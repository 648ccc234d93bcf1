import { Group, Kbd, Modal, Stack, Text, Title } from "@mantine/core";
import { Fragment, useSyncExternalStore } from "react";

import { shortcuts, subscribeToShortcuts } from "@/lib/shortcuts";
import { texts } from "@/lib/texts";

/** The keyboard shortcuts that work now. */
export function ShortcutSheet({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const registered = useSyncExternalStore(subscribeToShortcuts, shortcuts);
  const groups = [...new Set(registered.map(({ group }) => group))];
  return (
    <Modal opened={isOpen} onClose={onClose} title={texts.shortcuts.title} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        {groups.map((group) => (
          <Stack key={group} gap={6}>
            <Title order={3} size="h6">
              {group}
            </Title>
            {registered
              .filter((shortcut) => shortcut.group === group)
              .map((shortcut) => (
                <Group key={shortcut.keys} justify="space-between" wrap="nowrap">
                  <Text size="sm">{shortcut.name}</Text>
                  <Group gap={4} wrap="nowrap">
                    <Keys keys={shortcut.keys} />
                  </Group>
                </Group>
              ))}
          </Stack>
        ))}
      </Stack>
    </Modal>
  );
}

function Keys({ keys }: { keys: string }) {
  return keys.split(" ").map((key, index) => (
    <Fragment key={key}>
      {index === 0 ? null : (
        <Text size="xs" c="dimmed">
          {texts.shortcuts.then}
        </Text>
      )}
      <Kbd>{key}</Kbd>
    </Fragment>
  ));
}
