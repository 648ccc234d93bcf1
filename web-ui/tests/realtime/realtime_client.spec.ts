import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { RETRY_DELAYS_MS, TRANSITIONS } from "@/features/realtime/connection/states";
import type { ConnectionState } from "@/features/realtime/connection/states";
import { RealtimeClient } from "@/features/realtime/RealtimeClient";
import { keepApiKey } from "@/lib/apiKey";

import { JOB, OTHER_JOB, metadata, ping, progress } from "../support/messages";
import { FakeSocket, fakeSockets } from "../support/sockets";

let client: RealtimeClient;

beforeEach(() => {
  vi.useFakeTimers();
  client = new RealtimeClient({ openSocket: fakeSockets(), random: () => 0, origin: "http://box:8000" });
});

afterEach(() => {
  client.leave();
  vi.useRealTimers();
  keepApiKey(null);
});

const state = () => client.getSnapshot().connectionState;

function connect(): FakeSocket {
  client.watch(JOB);
  FakeSocket.last.accept();
  FakeSocket.last.say(metadata());
  return FakeSocket.last;
}

describe("states", () => {
  test("a client starts IDLE, not connected, without a socket", () => {
    expect(state()).toBe("IDLE");
    expect(FakeSocket.opened).toHaveLength(0);
  });

  test("there are six states, and every move leads to one of them", () => {
    const states = ["IDLE", "CONNECTING", "CONNECTED", "DISCONNECTED", "RECONNECTING", "CLOSED"];

    expect(Object.keys(TRANSITIONS)).toEqual(states);
    for (const next of Object.values(TRANSITIONS).flatMap((moves) => Object.values(moves))) {
      expect(states).toContain(next);
    }
  });

  test("a broken connection passes all states, and the last seq goes with the new try", () => {
    const seen: ConnectionState[] = [];
    client.subscribe(() => {
      if (seen.at(-1) !== state()) seen.push(state());
    });
    connect().say(progress(20, {}, 34));
    FakeSocket.last.end();
    vi.advanceTimersByTime(1000);

    client.leave();

    expect(seen).toEqual(["IDLE", "CONNECTING", "CONNECTED", "DISCONNECTED", "RECONNECTING", "CONNECTING", "CLOSED"]);
    expect(FakeSocket.last.address).toBe(`ws://box:8000/v1/realtime?job_id=${JOB}&since=34`);
  });

  test("the ending closes the connection, and no try follows", () => {
    const socket = connect();

    socket.say(progress(100, { status: "completed" }, 40));
    vi.advanceTimersByTime(600_000);

    expect(socket.isClosed).toBe(true);
    expect(state()).toBe("CLOSED");
    expect(client.getSnapshot().closeReason).toEqual({ kind: "ended" });
    expect(FakeSocket.opened).toHaveLength(1);
  });
});

describe("reconnecting", () => {
  test("there are five tries, after 1, 2, 4, 8 and 16 s", () => {
    expect(RETRY_DELAYS_MS).toEqual([1000, 2000, 4000, 8000, 16000]);
  });

  test("each try comes exactly when its delay is over, and the sixth failure closes for good", () => {
    client.watch(JOB);

    for (const [failures, delayMs] of RETRY_DELAYS_MS.entries()) {
      FakeSocket.last.end();
      expect(state()).toBe("RECONNECTING");
      vi.advanceTimersByTime(delayMs - 1);
      expect(FakeSocket.opened).toHaveLength(failures + 1);
      vi.advanceTimersByTime(1);
      expect(FakeSocket.opened).toHaveLength(failures + 2);
    }
    FakeSocket.last.end();
    vi.advanceTimersByTime(600_000);

    expect(FakeSocket.opened).toHaveLength(6);
    expect(state()).toBe("CLOSED");
    expect(client.getSnapshot().closeReason).toEqual({ kind: "exhausted" });
  });

  test("chance adds at most a tenth to a delay", () => {
    client = new RealtimeClient({ openSocket: fakeSockets(), random: () => 1 });
    client.watch(JOB);
    FakeSocket.last.end();

    vi.advanceTimersByTime(1099);
    expect(FakeSocket.opened).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.opened).toHaveLength(2);
  });

  test("a message sets the counter back, an open socket alone does not", () => {
    client.watch(JOB);
    FakeSocket.last.end();
    vi.advanceTimersByTime(1000);
    FakeSocket.last.accept();
    expect(client.getSnapshot().failedTries).toBe(1);

    FakeSocket.last.say(metadata());

    expect(client.getSnapshot().failedTries).toBe(0);
    FakeSocket.last.end();
    vi.advanceTimersByTime(1000);
    expect(FakeSocket.opened).toHaveLength(3);
  });

  test("after CLOSED the reader may reconnect, with all tries and the last seq", () => {
    connect().say(progress(20, {}, 34));
    for (let failure = 0; failure < 6; failure += 1) {
      FakeSocket.last.end();
      vi.advanceTimersByTime(16_000);
    }
    expect(state()).toBe("CLOSED");

    client.reconnect();

    expect(state()).toBe("CONNECTING");
    expect(FakeSocket.last.address).toContain("since=34");
    expect(client.getSnapshot()).toMatchObject({ failedTries: 0, closeReason: null });
  });

  test("a socket that does not open within 10 s is given up", () => {
    client.watch(JOB);
    const socket = FakeSocket.last;

    vi.advanceTimersByTime(10_000);

    expect(socket.isClosed).toBe(true);
    expect(state()).toBe("RECONNECTING");
  });

  test("a connection that is silent for 60 s is lost", () => {
    const socket = connect();
    vi.advanceTimersByTime(59_999);
    expect(state()).toBe("CONNECTED");

    vi.advanceTimersByTime(1);

    expect(socket.isClosed).toBe(true);
    expect(state()).toBe("RECONNECTING");
  });
});

describe("close codes", () => {
  test.each([1007, 1008, 1009, 4000, 4001])("after %i the client stays closed and says why", (code) => {
    connect().end(code);
    vi.advanceTimersByTime(600_000);

    expect(FakeSocket.opened).toHaveLength(1);
    expect(client.getSnapshot().closeReason).toMatchObject({ kind: "refused", code });
  });

  test.each([1000, 1001, 1006, 4008])("after %i the client reconnects", (code) => {
    connect().end(code);
    vi.advanceTimersByTime(1000);

    expect(FakeSocket.opened).toHaveLength(2);
  });

  test("a refused key is named in the reason", () => {
    connect().end(1008);

    expect(client.getSnapshot().closeReason).toHaveProperty("text", expect.stringContaining("API key"));
  });
});

describe("messages", () => {
  test("a ping is answered with a pong", () => {
    const socket = connect();

    socket.say(ping());

    expect(socket.sent).toEqual([{ type: "pong" }]);
  });

  test("the kept key goes with the socket", () => {
    keepApiKey("secret");

    client.watch(JOB);

    expect(FakeSocket.last.protocols).toEqual(["forgesyte.realtime", "forgesyte.key.secret"]);
  });

  test("an unknown type is counted and ignored", () => {
    const socket = connect();
    const before = client.getSnapshot();

    socket.say({ type: "weather", payload: {}, timestamp: "now" });

    expect(client.getSnapshot()).toEqual({ ...before, unknownMessages: 1, heardAtMs: expect.any(Number) as number });
  });

  test.each(["{", "7", "null", "[]", '{"payload":{}}', '{"type":"progress","payload":{"job_id":1},"timestamp":"now"}'])(
    "the malformed text %s changes nothing that is shown",
    (text) => {
      const socket = connect();
      const before = client.getSnapshot();

      socket.say(text);

      expect(client.getSnapshot()).toEqual({ ...before, malformedMessages: 1 });
    },
  );

  test("messages about another job are ignored", () => {
    const socket = connect();

    socket.say(progress(70, { job_id: OTHER_JOB }));

    expect(client.getSnapshot().progress).toBeNull();
  });

  test("a snapshot never changes after it was given out", () => {
    const socket = connect();
    const before = client.getSnapshot();
    const copy = structuredClone(before);

    socket.say(progress(50));

    expect(before).toEqual(copy);
    expect(client.getSnapshot()).not.toBe(before);
  });
});
