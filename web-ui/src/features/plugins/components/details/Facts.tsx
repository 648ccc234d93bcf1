import { SimpleGrid, Text } from "@mantine/core";

import classes from "../cards/cards.module.css";

export interface Fact {
  name: string;
  value: string;
}

/** Names with their values. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <SimpleGrid component="dl" cols={{ base: 2, xs: 3 }} spacing="sm" m={0}>
      {facts.map(({ name, value }) => (
        <div key={name} className={classes.fact}>
          <Text component="dt" size="xs" c="dimmed">
            {name}
          </Text>
          <Text component="dd" size="sm" className={classes.figure}>
            {value}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}
