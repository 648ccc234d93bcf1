/** The files that a person chose, and how far each has come. Files are sent one after another.
 *
 * It is no part of any component, so uploads go on while the reader looks at another page.
 */

import { asProblem, type Problem } from "@/lib/problem";

import type { Analysis, Sending, Submitted } from "../api/sendMedia";
import { kindOf } from "../media/checks";

/** How far a file has come. */
export type UploadState =
  | { name: "ready" }
  | { name: "waiting" }
  | { name: "sending"; sentBytes: number }
  | { name: "accepted"; jobId: string }
  | { name: "failed"; problem: Problem }
  | { name: "cancelled" };

/** One chosen file. */
export interface Upload {
  id: number;
  file: File;
  state: UploadState;
}

/** Refusals that every further file would get too: the rest waits until the person has acted. */
const CONCERNS_ALL = new Set([
  "OPTIONS_INVALID",
  "PLUGIN_UNKNOWN",
  "PLUGIN_UNAVAILABLE",
  "DEVICE_UNAVAILABLE",
  "KEY_MISSING",
  "KEY_REFUSED",
  "TOO_MANY_REQUESTS",
  "STORAGE_FULL",
  "UNREACHABLE",
]);

export class UploadQueue {
  private uploads: readonly Upload[] = [];
  private nextId = 1;
  private readonly listeners = new Set<() => void>();
  private readonly aborts = new Map<number, AbortController>();

  constructor(private readonly send: (sending: Sending) => Promise<Submitted>) {}

  /** Call `listener` after each change. Returns the function that ends it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The uploads in the order in which they were chosen; a new array after each change. */
  readonly snapshot = (): readonly Upload[] => this.uploads;

  /** Add files that a person chose. */
  add(files: readonly File[]): void {
    const added = files.map((file): Upload => ({ id: this.nextId++, file, state: { name: "ready" } }));
    this.change([...this.uploads, ...added]);
  }

  /** Take a file off the list; one that is being sent is cancelled. */
  remove(id: number): void {
    this.aborts.get(id)?.abort();
    this.change(this.uploads.filter((upload) => upload.id !== id));
  }

  /** Stop sending a file, or do not begin to. */
  cancel(id: number): void {
    this.aborts.get(id)?.abort();
    this.move(id, { name: "cancelled" });
  }

  /** Send files one after another, except those that are on their way already or became jobs.
   *
   * Returns the last state of each of them that is still on the list.
   */
  async start(wanted: readonly number[], analysis: Analysis): Promise<Upload[]> {
    const ids = wanted.filter((id) => !this.isStarted(id));
    for (const id of ids) {
      this.aborts.set(id, new AbortController());
      this.move(id, { name: "waiting" });
    }
    for (const [index, id] of ids.entries()) {
      if (await this.sendOne(id, analysis)) continue;
      for (const later of ids.slice(index + 1)) {
        if (this.find(later)?.state.name === "waiting") this.move(later, { name: "ready" });
      }
      break;
    }
    for (const id of ids) this.aborts.delete(id);
    return ids.flatMap((id) => this.find(id) ?? []);
  }

  /** Returns whether the next file may be tried. */
  private async sendOne(id: number, analysis: Analysis): Promise<boolean> {
    const upload = this.find(id);
    const abort = this.aborts.get(id);
    const kind = upload === undefined ? null : kindOf(upload.file);
    if (upload === undefined || abort === undefined || abort.signal.aborted || kind === null) return true;
    const onProgress = (sentBytes: number) => {
      if (!abort.signal.aborted) this.move(id, { name: "sending", sentBytes });
    };
    onProgress(0);
    try {
      const { job_id } = await this.send({ file: upload.file, kind, analysis, onProgress, signal: abort.signal });
      this.move(id, { name: "accepted", jobId: job_id });
      return true;
    } catch (error) {
      if (error instanceof DOMException) return true; // aborted: its cause has been told
      const problem = asProblem(error);
      this.move(id, { name: "failed", problem });
      return !CONCERNS_ALL.has(problem.code);
    }
  }

  private isStarted(id: number): boolean {
    const name = this.find(id)?.state.name;
    return name === "waiting" || name === "sending" || name === "accepted";
  }

  private find(id: number): Upload | undefined {
    return this.uploads.find((upload) => upload.id === id);
  }

  private move(id: number, state: UploadState): void {
    this.change(this.uploads.map((upload) => (upload.id === id ? { ...upload, state } : upload)));
  }

  private change(uploads: readonly Upload[]): void {
    this.uploads = uploads;
    for (const listener of this.listeners) listener();
  }
}
