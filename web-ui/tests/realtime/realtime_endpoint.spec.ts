import { expect, test } from "vitest";

import { jobEventsAddress, realtimeAddress, socketProtocols } from "@/features/realtime/connection/sockets";

test("a page over http watches over ws on its own host and port", () => {
  expect(realtimeAddress("job-1", null, "http://127.0.0.1:8000")).toBe("ws://127.0.0.1:8000/v1/realtime?job_id=job-1");
});

test("a page over https watches over wss", () => {
  expect(realtimeAddress("job-1", null, "https://vision.example")).toBe(
    "wss://vision.example/v1/realtime?job_id=job-1",
  );
});

test("the address names the last seq, zero included", () => {
  expect(realtimeAddress("job-1", 34, "http://a")).toBe("ws://a/v1/realtime?job_id=job-1&since=34");
  expect(realtimeAddress("job-1", 0, "http://a")).toBe("ws://a/v1/realtime?job_id=job-1&since=0");
});

test("an id with signs of its own stays one parameter", () => {
  const address = new URL(realtimeAddress("a&since=9", null, "http://a"));

  expect(address.searchParams.get("job_id")).toBe("a&since=9");
  expect(address.searchParams.has("since")).toBe(false);
});

test("without an origin it is the page's own", () => {
  expect(new URL(realtimeAddress("job-1", null)).host).toBe(location.host);
});

test("flat events of a job have their own address", () => {
  expect(jobEventsAddress("job/1", "https://a:8443")).toBe("wss://a:8443/ws/jobs/job%2F1");
});

test("a key travels as the second subprotocol, and no key sends none", () => {
  expect(socketProtocols("secret")).toEqual(["forgesyte.realtime", "forgesyte.key.secret"]);
  expect(socketProtocols(null)).toEqual([]);
});
