import type { Row } from "@/lib/boxes/boxes";

const WINDOW_FRAMES = 256;
const MOST_WINDOWS = 48;
/** How long a window that failed once, twice... is left alone. */
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000] as const;
const LONGEST_PAUSE_MS = 8_000;

/** What is known of a frame's row: the row, null where the frame has none, undefined where it is not loaded. */
export type KnownRow = Row | null | undefined;

/** Load the rows of the frames from `fromFrame` to before `fromFrame + limit`. */
export type LoadRows = (fromFrame: number, limit: number) => Promise<readonly Row[]>;

/** What is remembered of a window that could not be loaded. */
interface Failure {
  times: number;
  askAgainAt: number;
  error: unknown;
}

/** The rows of a job, loaded in windows; only the windows used last are kept, so that long videos cost no more. */
export class RowWindows {
  private readonly kept = new Map<number, ReadonlyMap<number, Row>>();
  private readonly loading = new Map<number, Promise<void>>();
  private readonly failed = new Map<number, Failure>();
  private prefetched: readonly number[] = [];

  constructor(
    private readonly load: LoadRows,
    private readonly mostWindows = MOST_WINDOWS,
  ) {}

  /** Return what is known of a frame's row. */
  get(frameIndex: number): KnownRow {
    const start = startOf(frameIndex);
    const rows = this.kept.get(start);
    if (rows === undefined) return undefined;
    this.kept.delete(start);
    this.kept.set(start, rows);
    return rows.get(frameIndex) ?? null;
  }

  /** Load the window of a frame, unless it is there. Fails as the loading does, and at once while `waitOf` is not over. */
  async ensure(frameIndex: number): Promise<void> {
    const start = startOf(frameIndex);
    if (this.kept.has(start)) return;
    if (this.waitOf(frameIndex) > 0) throw this.failed.get(start)?.error;
    if (!this.loading.has(start)) this.loading.set(start, this.fetch(start));
    await this.loading.get(start);
  }

  /** How many milliseconds the window of a frame is left alone, because it failed just now. */
  waitOf(frameIndex: number): number {
    const failure = this.failed.get(startOf(frameIndex));
    return failure === undefined ? 0 : Math.max(0, failure.askAgainAt - Date.now());
  }

  /** Load the windows that are needed next, before and after a frame; failures show when the frame itself is needed. */
  prefetch(frameIndex: number): void {
    const near = [frameIndex + WINDOW_FRAMES, frameIndex - WINDOW_FRAMES / 4].filter((frame) => frame >= 0);
    const starts = near.map(startOf);
    if (starts.join() === this.prefetched.join()) return;
    this.prefetched = starts;
    for (const start of starts) this.ensure(start).catch(() => undefined);
  }

  /** How many windows are kept. */
  get size(): number {
    return this.kept.size;
  }

  private async fetch(start: number): Promise<void> {
    const rows = await this.load(start, WINDOW_FRAMES)
      .catch((error: unknown) => {
        this.remember(start, error);
        throw error;
      })
      .finally(() => this.loading.delete(start));
    this.failed.delete(start);
    const inWindow = rows.filter((row) => startOf(row.frame_index) === start);
    this.kept.set(start, new Map(inWindow.map((row) => [row.frame_index, row])));
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= this.mostWindows) break;
      this.kept.delete(oldest);
    }
  }

  private remember(start: number, error: unknown): void {
    const times = (this.failed.get(start)?.times ?? 0) + 1;
    const pause = PAUSES_MS[times - 1] ?? LONGEST_PAUSE_MS;
    this.failed.set(start, { times, askAgainAt: Date.now() + pause, error });
  }
}

function startOf(frameIndex: number): number {
  return frameIndex - (frameIndex % WINDOW_FRAMES);
}
