import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { delay, http, HttpResponse } from "msw";
import { beforeEach, expect, test, vi } from "vitest";

import { renderAt } from "../../../../tests/support/render";
import { fakeNetwork, server } from "../../../../tests/support/server";
import { pluginsQuery } from "../api/plugins";
import { sendMedia } from "../api/sendMedia";
import { UploadQueue } from "../queue/UploadQueue";
import { Analyze } from "./Analyze";

const PLUGIN = { name: "motion-detector", version: "0.1.0", description: "Finds what moves.", state: "INITIALIZED" };
const BROKEN = { name: "ball-finder", description: "", state: "FAILED", reason: "Its model file is missing." };
const TOOLS = [
  {
    name: "detect-motion",
    title: "Detect motion",
    description: "Moving regions.",
    inputs: ["video"],
    options_schema: {
      type: "object",
      properties: { threshold: { type: "number", default: 5, minimum: 1, maximum: 20 } },
    },
  },
  {
    name: "find-faces",
    title: "Find faces",
    description: "Faces.",
    inputs: ["video", "image"],
    options_schema: { type: "object", properties: { min_size: { type: "integer", default: 20 } } },
  },
];
const CAR = new File(["abcdef"], "cars.mp4", { type: "video/mp4" });
const PHOTO = new File(["abc"], "yard.png", { type: "image/png" });

let submitted: URL[] = [];

fakeNetwork();

beforeEach(() => {
  submitted = [];
  server.use(
    http.get("*/v1", () => HttpResponse.json({ limits: { upload_bytes: 10 } })),
    http.get("*/v1/plugins", () => HttpResponse.json([PLUGIN, BROKEN])),
    http.get("*/v1/plugins/:name", ({ params }) =>
      HttpResponse.json({ tools: params.name === PLUGIN.name ? TOOLS : [], health: PLUGIN, metadata: {}, runners: [] }),
    ),
    http.get("*/v1/devices", () => HttpResponse.json([{ name: "cpu", kind: "cpu", runner_id: "r", host: "h" }])),
    http.post("*/v1/:kind/submit", ({ request }) => {
      submitted.push(new URL(request.url));
      return HttpResponse.json({ job_id: `job-${submitted.length}` }, { status: 202 });
    }),
  );
});

async function renderAnalyze() {
  const onJob = vi.fn();
  const { client } = renderAt("/", <Analyze queue={new UploadQueue(sendMedia)} onJob={onJob} />);
  await screen.findByRole("checkbox", { name: "Detect motion" });
  const input = await screen.findByLabelText<HTMLInputElement>("Drop videos or pictures here", { selector: "input" });
  const user = userEvent.setup({ applyAccept: false });
  return { client, onJob, user, choose: (...files: File[]) => user.upload(input, files) };
}

function analyze() {
  return screen.getByRole("button", { name: /^Analyze/ });
}

test("one file becomes a job, and the page goes to it", async () => {
  const { onJob, user, choose } = await renderAnalyze();
  expect(analyze()).toBeDisabled();

  await choose(CAR);
  await screen.findByText("cars.mp4");
  await user.click(analyze());

  await waitFor(() => expect(onJob).toHaveBeenCalledWith("job-1"));
  const query = submitted[0]?.searchParams;
  expect(submitted[0]?.pathname).toBe("/v1/video/submit");
  expect(Object.fromEntries(query ?? [])).toEqual({
    plugin_id: "motion-detector",
    device: "auto",
    filename: "cars.mp4",
    tool: "detect-motion",
  });
});

test("several files each link to their job", async () => {
  const { onJob, user, choose } = await renderAnalyze();
  await user.click(screen.getByRole("checkbox", { name: "Detect motion" }));
  await user.click(screen.getByRole("checkbox", { name: "Find faces" }));

  await choose(CAR, PHOTO);
  await screen.findByText("yard.png");
  await user.click(analyze());

  await waitFor(() => expect(screen.getAllByRole("link", { name: "Open job" })).toHaveLength(2));
  expect(screen.getAllByRole("link", { name: "Open job" })[1]).toHaveAttribute("href", "/jobs/job-2");
  expect(submitted.map(({ pathname }) => pathname)).toEqual(["/v1/video/submit", "/v1/image/submit"]);
  expect(onJob).not.toHaveBeenCalled();
});

test("what cannot be used is told at the file and not sent", async () => {
  const { choose } = await renderAnalyze();

  await choose(PHOTO, new File(["0123456789a"], "long.mp4", { type: "video/mp4" }), new File(["a"], "notes.txt"));

  expect(await screen.findByText(/Detect motion takes no pictures/)).toBeInTheDocument();
  expect(screen.getByText(/the server takes 10 B at most/)).toBeInTheDocument();
  expect(screen.getByText(/neither a video nor a picture/)).toBeInTheDocument();
  expect(analyze()).toBeDisabled();
});

test("a broken plugin is shown with its reason and cannot be chosen", async () => {
  await renderAnalyze();

  expect(screen.getByRole("radio", { name: "ball-finder" })).toBeDisabled();
  expect(screen.getByText("Its model file is missing.")).toBeInTheDocument();
  expect(screen.getByRole("radio", { name: "motion-detector" })).toBeChecked();
});

test("options that were changed are sent, for several tools by name", async () => {
  const { user, choose } = await renderAnalyze();
  await user.click(screen.getByRole("checkbox", { name: "Find faces" }));
  await user.click(screen.getByRole("button", { name: /Detect motion/ }));
  await user.type(await screen.findByRole("textbox", { name: "Threshold" }), "7");

  await choose(CAR);
  await screen.findByText("cars.mp4");
  await user.click(analyze());

  await waitFor(() => expect(submitted).toHaveLength(1));
  expect(submitted[0]?.searchParams.getAll("tool")).toEqual(["detect-motion", "find-faces"]);
  expect(submitted[0]?.searchParams.get("options")).toBe('{"detect-motion":{"threshold":7}}');
});

test("an option out of its range is marked, focused and not sent", async () => {
  const { user, choose } = await renderAnalyze();
  await user.click(screen.getByRole("button", { name: /Detect motion/ }));
  const threshold = await screen.findByRole("textbox", { name: "Threshold" });
  await user.type(threshold, "70");

  await choose(CAR);
  await screen.findByText("cars.mp4");
  await user.click(analyze());

  expect(threshold).toBeInvalid();
  expect(screen.getByText("Enter at most 20.")).toBeInTheDocument();
  expect(threshold).toHaveFocus();
  expect(submitted).toEqual([]);
});

test("an option that the server refuses is marked at its field, and the file says why", async () => {
  const problem = {
    status: 422,
    title: "The options do not fit the tool",
    detail: "options.detect-motion.threshold: expected at most 20, found 20.5",
    code: "OPTIONS_INVALID",
  };
  server.use(http.post("*/v1/video/submit", () => HttpResponse.json(problem, { status: 422 })));
  const { user, choose } = await renderAnalyze();

  await choose(CAR);
  await screen.findByText("cars.mp4");
  await user.click(analyze());

  expect(await screen.findByText("Expected at most 20, found 20.5")).toBeInTheDocument();
  expect(await screen.findByRole("textbox", { name: "Threshold" })).toBeInvalid();
  expect(within(screen.getByRole("listitem")).getByRole("alert")).toHaveTextContent("The options do not fit the tool");
});

const OTHER = { name: "face-finder", version: "0.2.0", description: "Finds faces.", state: "INITIALIZED" };

test("the first plugin stays chosen when a later answer has another first", async () => {
  const { client } = await renderAnalyze();
  server.use(http.get("*/v1/plugins", () => HttpResponse.json([OTHER, PLUGIN, BROKEN])));

  await client.refetchQueries({ queryKey: pluginsQuery.queryKey });

  expect(await screen.findByRole("radio", { name: "face-finder" })).not.toBeChecked();
  expect(screen.getByRole("radio", { name: "motion-detector" })).toBeChecked();
});

test("what the server refused stays with its plugin, though another has a tool of the same name", async () => {
  const problem = {
    status: 422,
    title: "The options do not fit the tool",
    detail: "options.detect-motion.threshold: expected at most 20, found 20.5",
    code: "OPTIONS_INVALID",
  };
  server.use(
    http.get("*/v1/plugins", () => HttpResponse.json([PLUGIN, OTHER])),
    http.get("*/v1/plugins/:name", () =>
      HttpResponse.json({ tools: TOOLS, health: PLUGIN, metadata: {}, runners: [] }),
    ),
    http.post("*/v1/video/submit", () => HttpResponse.json(problem, { status: 422 })),
  );
  const { user, choose } = await renderAnalyze();
  await choose(CAR);
  await screen.findByText("cars.mp4");
  await user.click(analyze());
  expect(await screen.findByText("Expected at most 20, found 20.5")).toBeInTheDocument();

  await user.click(screen.getByRole("radio", { name: "face-finder" }));
  await waitFor(() => expect(screen.queryByText("Expected at most 20, found 20.5")).toBeNull());

  await user.click(screen.getByRole("radio", { name: "motion-detector" }));
  expect(await screen.findByText("Expected at most 20, found 20.5")).toBeInTheDocument();
});

test("an upload shows how far it is and can be cancelled", async () => {
  server.use(http.post("*/v1/video/submit", () => delay("infinite")));
  const { user, choose, onJob } = await renderAnalyze();
  await choose(CAR);
  await screen.findByText("cars.mp4");
  await user.click(analyze());
  expect(await screen.findByRole("progressbar", { name: "Upload of cars.mp4" })).toBeInTheDocument();

  await user.click(screen.getByRole("button", { name: "Cancel cars.mp4" }));

  expect(await screen.findByText(/Cancelled/)).toBeInTheDocument();
  expect(analyze()).toBeDisabled();
  expect(onJob).not.toHaveBeenCalled();

  server.use(http.post("*/v1/video/submit", () => HttpResponse.json({ job_id: "job-1" }, { status: 202 })));
  await user.click(screen.getByRole("button", { name: "Send again cars.mp4" }));
  await waitFor(() => expect(onJob).toHaveBeenCalledWith("job-1"));
});

test.each([
  [413, false],
  [415, false],
  [503, true],
])("a file that the server refused with %i is counted and sent again: %s", async (status, isSentAgain) => {
  const problem = { status, title: "Refused", detail: "It cannot be taken.", code: "MEDIA_INVALID" };
  server.use(http.post("*/v1/video/submit", () => HttpResponse.json(problem, { status })));
  const { user, choose } = await renderAnalyze();
  await choose(CAR);
  await screen.findByText("cars.mp4");

  await user.click(analyze());
  await screen.findByText("Refused: It cannot be taken.");

  await waitFor(() => expect(analyze().matches(":enabled")).toBe(isSentAgain));
});

test("without a GPU the choice is there and not selectable, and says why", async () => {
  await renderAnalyze();

  expect(await screen.findByText("No runner has a GPU.")).toBeInTheDocument();
  expect(screen.getByRole("option", { name: "GPU" })).toBeDisabled();
});

test("no plugin at all says how to get one", async () => {
  server.use(http.get("*/v1/plugins", () => HttpResponse.json([])));
  renderAt("/", <Analyze queue={new UploadQueue(sendMedia)} onJob={vi.fn()} />);

  expect(await screen.findByText("No plugin is running")).toBeInTheDocument();
});

test("plugins that cannot be asked for show the problem and a way to try again", async () => {
  const problem = {
    status: 403,
    title: "The API key may not do this",
    detail: "It needs plugins.",
    code: "KEY_REFUSED",
  };
  server.use(http.get("*/v1/plugins", () => HttpResponse.json(problem, { status: 403 }), { once: true }));
  renderAt("/", <Analyze queue={new UploadQueue(sendMedia)} onJob={vi.fn()} />);

  expect(await screen.findByText("The API key may not do this")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));

  expect(await screen.findByRole("radio", { name: "motion-detector" })).toBeChecked();
});
