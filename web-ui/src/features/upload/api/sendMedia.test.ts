import { delay, http, HttpResponse } from "msw";
import { expect, test } from "vitest";

import { isApiKeyWanted, keepApiKey } from "@/lib/apiKey";
import { RequestFailed } from "@/lib/problem";

import { fakeNetwork, server } from "../../../../tests/support/server";
import { type Sending, sendMedia } from "./sendMedia";

fakeNetwork();

function aSending(changes: Partial<Sending> = {}): Sending {
  return {
    file: new File(["abc"], "cars & co.mp4", { type: "video/mp4" }),
    kind: "video",
    analysis: { plugin: "motion-detector", tools: ["detect-motion", "track-objects"], options: "", device: "cpu" },
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...changes,
  };
}

test("the file is the body, the rest is in the address, the key in its header", async () => {
  let seen: Request | null = null;
  let body = "";
  server.use(
    http.post("*/v1/video/submit", async ({ request }) => {
      seen = request.clone();
      body = await request.text();
      return HttpResponse.json({ job_id: "job-1" }, { status: 202 });
    }),
  );
  keepApiKey("secret");
  const sent: number[] = [];

  const submitted = await sendMedia(aSending({ onProgress: (bytes) => sent.push(bytes) }));

  keepApiKey(null);
  const request = seen as unknown as Request;
  const query = new URL(request.url).searchParams;
  expect(submitted.job_id).toBe("job-1");
  expect(body).toBe("abc");
  expect(request.headers.get("content-type")).toBe("video/mp4");
  expect(request.headers.get("x-api-key")).toBe("secret");
  expect(query.getAll("tool")).toEqual(["detect-motion", "track-objects"]);
  expect(Object.fromEntries(query)).toMatchObject({
    plugin_id: "motion-detector",
    device: "cpu",
    filename: "cars & co.mp4",
  });
  expect(query.has("options")).toBe(false);
  expect(sent.at(-1)).toBe(3);
});

test("a picture goes to its own route, with options, as bytes where the browser knows no type", async () => {
  let seen: Request | null = null;
  server.use(
    http.post("*/v1/image/submit", ({ request }) => {
      seen = request;
      return HttpResponse.json({ job_id: "job-1" }, { status: 202 });
    }),
  );
  const analysis = { ...aSending().analysis, options: '{"threshold":9}' };

  await sendMedia(aSending({ file: new File(["abc"], "a.tiff"), kind: "image", analysis }));

  const request = seen as unknown as Request;
  expect(request.headers.get("content-type")).toBe("application/octet-stream");
  expect(new URL(request.url).searchParams.get("options")).toBe('{"threshold":9}');
});

test("a refusal is the server's problem, and 401 asks for a key", async () => {
  const problem = { status: 401, title: "An API key is required", detail: "Send one.", code: "KEY_MISSING" };
  server.use(http.post("*/v1/video/submit", () => HttpResponse.json(problem, { status: 401 })));

  const error: unknown = await sendMedia(aSending()).catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(RequestFailed);
  expect((error as RequestFailed).problem).toEqual(problem);
  expect(isApiKeyWanted()).toBe(true);
  keepApiKey(null);
});

test("a server that cannot be reached is no refusal", async () => {
  server.use(http.post("*/v1/video/submit", () => HttpResponse.error()));

  await expect(sendMedia(aSending())).rejects.toThrow(TypeError);
});

test("an aborted upload ends as aborted", async () => {
  server.use(http.post("*/v1/video/submit", () => delay("infinite")));
  const abort = new AbortController();

  const sending = sendMedia(aSending({ signal: abort.signal }));
  abort.abort();

  await expect(sending).rejects.toMatchObject({ name: "AbortError" });
});
