import { ActionIcon, AppShell, Burger, Group, NavLink, Stack, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconCpu, IconKeyboard, IconListDetails, IconPuzzle, IconScan } from "@tabler/icons-react";
import { Link, NavLink as RouterLink, Outlet, ScrollRestoration } from "react-router";

import { texts } from "@/lib/texts";

import classes from "./Shell.module.css";
import { ApiKeyDialog } from "./shell/ApiKeyDialog";
import { HealthDot } from "./shell/HealthDot";
import { SchemeMenu } from "./shell/SchemeMenu";
import { ShortcutSheet } from "./shell/ShortcutSheet";
import { StaleServer } from "./shell/StaleServer";
import { useArrival } from "./shell/useArrival";
import { useShellShortcuts } from "./shell/useShellShortcuts";

const PAGES = [
  { to: "/", label: texts.pages.analyze, Icon: IconScan },
  { to: "/jobs", label: texts.pages.jobs, Icon: IconListDetails },
  { to: "/plugins", label: texts.pages.plugins, Icon: IconPuzzle },
  { to: "/devices", label: texts.pages.devices, Icon: IconCpu },
];

/** The frame around every page: name, server health, key, colours, navigation, and the page itself. */
export function Shell() {
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const [isSheetOpen, sheet] = useDisclosure(false);
  useShellShortcuts(sheet.open);
  useArrival();
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 190, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <a href="#page" className={classes.skip}>
        {texts.shell.skip}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="xs" wrap="nowrap">
          <Burger
            opened={isOpen}
            onClick={toggle}
            hiddenFrom="sm"
            size="sm"
            aria-label={texts.shell.navigation}
            aria-expanded={isOpen}
          />
          <Title order={4} component="p" flex={1}>
            <Link to="/" className={classes.name}>
              {texts.product}
            </Link>
          </Title>
          <HealthDot />
          <ApiKeyDialog />
          <SchemeMenu />
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            visibleFrom="sm"
            aria-label={texts.shortcuts.button}
            title={`${texts.shortcuts.button} (?)`}
            onClick={sheet.open}
          >
            <IconKeyboard size={18} aria-hidden />
          </ActionIcon>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={texts.shell.pages}>
        {PAGES.map(({ to, label, Icon }) => (
          <NavLink
            key={to}
            component={RouterLink}
            to={to}
            end={to === "/"}
            label={label}
            leftSection={<Icon size={18} aria-hidden />}
            onClick={close}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1} className={classes.main}>
        <Stack>
          <StaleServer />
          <div>
            <Outlet />
          </div>
        </Stack>
      </AppShell.Main>
      <ShortcutSheet isOpen={isSheetOpen} onClose={sheet.close} />
      <ScrollRestoration />
    </AppShell>
  );
}
