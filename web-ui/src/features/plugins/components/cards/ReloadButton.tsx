import { Button, Text } from "@mantine/core";

import { ErrorBanner } from "@/components/ErrorBanner";
import { asProblem } from "@/lib/problem";

import { useReloadPlugin } from "../../api/reloadPlugin";
import { texts } from "../../texts";

/** Asks the runners to load a plugin again; says what came of it. */
export function ReloadButton({ name }: { name: string }) {
  const reload = useReloadPlugin(name);
  return (
    <>
      <Button
        size="xs"
        variant="default"
        aria-label={texts.reload.named(name)}
        loading={reload.isPending}
        onClick={() => reload.mutate()}
      >
        {texts.reload.action}
      </Button>
      {reload.isSuccess ? (
        <Text size="xs" c="dimmed" role="status" mt={6}>
          {texts.reload.asked(reload.data.runners)}
        </Text>
      ) : null}
      {reload.isError ? <ErrorBanner {...whatNext(reload.error)} onDismiss={() => reload.reset()} /> : null}
    </>
  );
}

function whatNext(error: unknown): { title: string; detail: string } {
  const { status, title, detail } = asProblem(error);
  const { keyNeeded } = texts.reload;
  if (status === 401) return { title: keyNeeded.title, detail: keyNeeded.noKey };
  if (status === 403) return { title: keyNeeded.title, detail: keyNeeded.refused };
  return { title, detail };
}
