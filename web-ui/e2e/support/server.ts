import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const REPOSITORY = resolve(import.meta.dirname, "../../..");
const BIN = join(REPOSITORY, ".venv/bin");
const READY = /ready http:\/\/127\.0\.0\.1:(\d+)/;
const START_LIMIT_MS = 150_000;
const STOP_LIMIT_MS = 60_000;

/** A `forgesyte up` of its own; it can be stopped and started on the same port and data. */
export class Server {
  private readonly folder = mkdtempSync(join(tmpdir(), "forgesyte-e2e-"));
  private readonly log = join(this.folder, "up.log");
  private port = 0;
  private process: ChildProcess | null = null;
  /** A clip of 60 frames for jobs whose pictures do not matter. */
  readonly clip = join(this.folder, "clip.mp4");

  /** With the plugins for tests, or only with those that are installed; `settings` are variables of its environment. */
  constructor(
    private readonly plugins: "for tests" | "installed" = "for tests",
    private readonly settings: Readonly<Record<string, string>> = {},
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Make the clip; once, before the first start. */
  makeClip(): void {
    const code = "import pathlib, sys; from support.clips import make_clip; make_clip(pathlib.Path(sys.argv[1]))";
    const env = { ...process.env, PYTHONPATH: join(REPOSITORY, "tests") };
    execFileSync(join(BIN, "python"), ["-c", code, this.clip], { env });
  }

  /** Start it and wait for its `ready` line. It has one slot, so that a test can decide when the next job begins. */
  async start(): Promise<void> {
    const options = ["up", "--port", String(this.port), "--data-dir", join(this.folder, "data"), "--slots", "1"];
    // A job that a test holds would also hold up Ctrl-C: it gets a second, and goes on at the next start.
    const ours = this.plugins === "for tests" ? { PYTHONPATH: join(REPOSITORY, "tests/support/plugins") } : {};
    const env = { ...process.env, ...ours, FORGESYTE_LAUNCHER_DRAIN_S: "1", ...this.settings };
    const log = openSync(this.log, "w");
    // A process group of its own: nothing that it starts can outlive `kill`.
    const started = spawn(join(BIN, "forgesyte"), options, { env, detached: true, stdio: ["ignore", log, log] });
    closeSync(log);
    this.process = started;
    const limitMs = Date.now() + START_LIMIT_MS;
    for (;;) {
      const port = READY.exec(this.said())?.[1];
      if (port !== undefined) {
        this.port = Number(port);
        return;
      }
      if (hasExited(started) || Date.now() > limitMs) throw new Error(`forgesyte up is not ready:\n${this.said()}`);
      await pause(50);
    }
  }

  /** Press Ctrl-C and wait until it has ended. */
  async stop(): Promise<void> {
    const running = this.process;
    if (running === null) return;
    this.process = null;
    if (hasExited(running)) return;
    const exited = once(running, "exit");
    running.kill("SIGINT");
    const isOut = await Promise.race([exited.then(() => true), pause(STOP_LIMIT_MS, false, { ref: false })]);
    killGroup(running);
    if (!isOut) throw new Error(`forgesyte up did not end on Ctrl-C:\n${this.said()}`);
  }

  /** Let nothing of it remain. */
  async remove(): Promise<void> {
    try {
      await this.stop();
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  private said(): string {
    return readFileSync(this.log, "utf8");
  }
}

function hasExited(one: ChildProcess): boolean {
  return one.exitCode !== null || one.signalCode !== null;
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nothing of the group is left, which is what is wanted
  }
}
