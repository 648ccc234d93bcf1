import type { Meta, StoryObj } from "@storybook/react-vite";

import { RealtimeProvider } from "@/features/realtime/RealtimeContext";
import { RealtimeOverlay } from "@/features/realtime/RealtimeOverlay";

import { ENDED, scriptedClient } from "./scriptedClient";
import type { Scene } from "./scriptedClient";

function Watched({ scene }: { scene: Scene }) {
  return (
    <RealtimeProvider jobId="story" client={scriptedClient(scene)}>
      <RealtimeOverlay />
    </RealtimeProvider>
  );
}

const meta: Meta<typeof Watched> = { title: "RealtimeOverlay", component: Watched, parameters: { layout: "padded" } };
export default meta;

type Story = StoryObj<typeof Watched>;

/** The socket is open; the job has not begun. */
export const Empty: Story = { args: { scene: "empty" } };

/** The socket is not open yet. */
export const Loading: Story = { args: { scene: "loading" } };

/** Pictures, timings and warnings come. */
export const Live: Story = { args: { scene: "live" } };

/** The server went away in the middle. */
export const Stale: Story = { args: { scene: "stale" } };

/** The plugin raised an error. */
export const Failed: Story = { args: { scene: "failed" } };

/** The server refused the connection; it does not come back by itself. */
export const Closed: Story = { args: { scene: "closed" } };

/** The same parts from the record of an ended job, without a socket. */
export const Ended: StoryObj = { render: () => <RealtimeOverlay endedFacts={ENDED} /> };
