import { act, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";

import { fakeCanvas, type Painted } from "../../../../tests/support/canvas";
import { frame, JOB } from "../../../../tests/support/messages";
import { renderInPage } from "../../../../tests/support/renderInPage";
import { FakeSocket, fakeSockets } from "../../../../tests/support/sockets";
import { RealtimeClient } from "../RealtimeClient";
import { RealtimeProvider } from "../RealtimeContext";
import { LivePreview } from "./LivePreview";

let painted: Painted;

beforeEach(() => {
  painted = fakeCanvas();
});

function show(tools?: readonly string[]) {
  const client = new RealtimeClient({ openSocket: fakeSockets() });
  renderInPage(
    <RealtimeProvider client={client} jobId={JOB}>
      <LivePreview tools={tools} />
    </RealtimeProvider>,
  );
}

test("a connection that is refused before a picture came says that none comes", () => {
  show();
  expect(screen.getByText("The first picture comes when the job has begun")).toBeVisible();

  act(() => FakeSocket.last.end(1008));

  expect(screen.getByText("No live picture: the connection is closed")).toBeVisible();
});

test.each([
  [["detect-motion"], "detect-motion"],
  [["detect-motion", "find-faces"], "motion-detector"],
])("a box without a class of a job with the tools %s is called %s", async (tools, name) => {
  show(tools);

  act(() => {
    FakeSocket.last.accept();
    FakeSocket.last.say(frame(8, { boxes: [{ x: 1, y: 2, width: 3, height: 4, confidence: null, class: null }] }));
  });

  await waitFor(() => expect(painted.labels).toEqual([name]));
});
