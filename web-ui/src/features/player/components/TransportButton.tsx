import { ActionIcon, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  label: string;
  onClick: () => void;
  isMain?: boolean;
  isDisabled?: boolean;
  children: ReactNode;
}

/** One button of the player, with its name and key as a tooltip. */
export function TransportButton({ label, onClick, isMain = false, isDisabled = false, children }: Props) {
  return (
    <Tooltip label={label} openDelay={400}>
      <ActionIcon
        aria-label={label}
        variant={isMain ? "filled" : "subtle"}
        color={isMain ? undefined : "gray"}
        size="lg"
        radius={isMain ? "xl" : "md"}
        disabled={isDisabled}
        bg={isDisabled ? "transparent" : undefined}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
