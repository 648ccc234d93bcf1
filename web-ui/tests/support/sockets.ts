import type { Socket } from "@/features/realtime/connection/sockets";

/** A socket whose server is the test. */
export class FakeSocket implements Socket {
  static opened: FakeSocket[] = [];

  /** The newest socket; throws when none was opened. */
  static get last(): FakeSocket {
    const socket = FakeSocket.opened.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly sent: unknown[] = [];
  isClosed = false;

  constructor(
    readonly address: string,
    readonly protocols: string[] = [],
  ) {
    FakeSocket.opened.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  /** The server accepts. */
  accept(): void {
    this.onopen?.(new Event("open"));
  }

  /** The server sends something. */
  say(message: unknown): void {
    this.onmessage?.(
      new MessageEvent("message", { data: typeof message === "string" ? message : JSON.stringify(message) }),
    );
  }

  /** The connection breaks, or the server closes it. */
  end(code = 1006): void {
    this.onclose?.(new CloseEvent("close", { code }));
  }
}

/** Open FakeSockets from now on, counting from none. */
export function fakeSockets(): (address: string, protocols: string[]) => FakeSocket {
  FakeSocket.opened = [];
  return (address, protocols) => new FakeSocket(address, protocols);
}
