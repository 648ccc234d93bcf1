import { Popover, Stack, Text, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { texts } from "@/lib/texts";

import { healthQuery } from "./health";
import classes from "./HealthDot.module.css";

/** How the server is, in a word and a dot; more on request. */
export function HealthDot() {
  const { data, isError, isPending } = useQuery(healthQuery);
  const status = isError ? "unreachable" : isPending ? "asking" : data.status;
  const wrong = isError || data === undefined ? [] : Object.entries(data.checks).filter(([, found]) => found !== "ok");
  return (
    <Popover width={320} position="bottom-end" shadow="md" withArrow>
      <Popover.Target>
        <UnstyledButton className={classes.button} aria-label={`${texts.health.title}: ${texts.health[status]}`}>
          <svg className={classes.dot} data-status={status} viewBox="0 0 10 10" aria-hidden>
            <circle cx="5" cy="5" r="5" />
          </svg>
          <Text size="sm" component="span">
            {texts.health[status]}
          </Text>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <Text fw={600} size="sm">
            {texts.health[status]}
          </Text>
          {status === "unreachable" ? <Text size="sm">{texts.health.start}</Text> : null}
          {status === "healthy" ? <Text size="sm">{texts.health.allWell}</Text> : null}
          {wrong.map(([check, found]) => (
            <Text size="sm" key={check}>
              <b>{check}</b>: {found}
            </Text>
          ))}
          {data === undefined ? null : (
            <Text size="xs" c="dimmed">
              {texts.health.version(data.version)}
            </Text>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
