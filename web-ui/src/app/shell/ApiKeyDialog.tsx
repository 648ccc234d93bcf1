import { ActionIcon, Button, Group, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";

import { apiKey, isApiKeyWanted, isSendable, keepApiKey, subscribeToApiKey } from "@/lib/apiKey";
import { texts } from "@/lib/texts";

/** The API key of this browser: a button, and a dialogue that opens by itself when the server asks for a key. */
export function ApiKeyDialog() {
  const isWanted = useSyncExternalStore(subscribeToApiKey, isApiKeyWanted);
  const kept = useSyncExternalStore(subscribeToApiKey, apiKey);
  const [isAsked, { open, close }] = useDisclosure(false);
  const [wasDeclined, setWasDeclined] = useState(false);
  const [key, setKey] = useState("");
  const client = useQueryClient();
  const refused = isWanted && kept !== null ? texts.key.refused : undefined;

  const leave = () => {
    close();
    setWasDeclined(isWanted);
  };
  const keep = (next: string | null) => {
    keepApiKey(next);
    setKey("");
    close();
    setWasDeclined(false);
    void client.resetQueries();
  };
  return (
    <>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={texts.key.button}
        title={texts.key.button}
        onClick={open}
      >
        <IconKey size={18} aria-hidden />
      </ActionIcon>
      <Modal
        opened={isAsked || (isWanted && !wasDeclined)}
        onClose={leave}
        title={isWanted ? texts.key.title : texts.key.own}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (isSendable(key)) keep(key);
          }}
        >
          <Stack>
            <Text size="sm">{isWanted ? texts.key.why : kept === null ? texts.key.none : texts.key.kept}</Text>
            <PasswordInput
              label={texts.key.label}
              value={key}
              onChange={(event) => setKey(event.currentTarget.value)}
              error={isSendable(key) ? refused : texts.key.unsendable}
              autoComplete="off"
              data-autofocus
            />
            <Group justify="flex-end">
              {kept === null ? null : (
                <Button variant="default" onClick={() => keep(null)}>
                  {texts.key.forget}
                </Button>
              )}
              <Button type="submit" disabled={key.trim() === "" || !isSendable(key)}>
                {texts.key.keep}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
