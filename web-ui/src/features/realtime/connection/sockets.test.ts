import { afterEach, expect, test } from "vitest";

import { apiKey, isSendable, keepApiKey } from "@/lib/apiKey";

import { RealtimeClient } from "../RealtimeClient";
import { jobEventsAddress, openSocket, realtimeAddress, socketProtocols } from "./sockets";

afterEach(() => keepApiKey(null));

test("a key that can be part of a subprotocol's name travels there, and not in the address", () => {
  keepApiKey("fs-1.a_b");
  expect(socketProtocols()).toEqual(["forgesyte.realtime", "forgesyte.key.fs-1.a_b"]);
  expect(realtimeAddress("1", 7)).not.toContain("api_key");
});

test.each(["YWI/c2Q=", "two words", "cl\u00e9"])("the key %j travels in the address", (key) => {
  keepApiKey(key);
  expect(socketProtocols()).toEqual([]);
  for (const address of [realtimeAddress("1", 7), jobEventsAddress("1")]) {
    expect(new URL(address).searchParams.get("api_key")).toBe(key);
  }
});

test("blanks around a key are no part of it, and a key that no header takes is none", () => {
  keepApiKey(" secret\n");
  expect(apiKey()).toBe("secret");
  expect(isSendable("\u043a\u043b\u044e\u0447")).toBe(false);
  keepApiKey("\u043a\u043b\u044e\u0447");
  expect(apiKey()).toBeNull();
});

test("a socket that the browser refuses to open closes the connection with a reason", () => {
  const client = new RealtimeClient({ openSocket: (address) => openSocket(address, ["no token"]) });
  client.watch("1");
  expect(client.getSnapshot()).toMatchObject({ connectionState: "CLOSED", closeReason: { kind: "refused", code: 0 } });
});
