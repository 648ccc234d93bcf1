import { act, screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { JOB } from "../../../../tests/support/messages";
import { renderInPage } from "../../../../tests/support/renderInPage";
import { FakeSocket, fakeSockets } from "../../../../tests/support/sockets";
import { RealtimeClient } from "../RealtimeClient";
import { RealtimeProvider } from "../RealtimeContext";
import { LivePreview } from "./LivePreview";

test("a connection that is refused before a picture came says that none comes", () => {
  const client = new RealtimeClient({ openSocket: fakeSockets() });
  renderInPage(
    <RealtimeProvider client={client} jobId={JOB}>
      <LivePreview />
    </RealtimeProvider>,
  );
  expect(screen.getByText("The first picture comes when the job has begun")).toBeVisible();

  act(() => FakeSocket.last.end(1008));

  expect(screen.getByText("No live picture: the connection is closed")).toBeVisible();
});
