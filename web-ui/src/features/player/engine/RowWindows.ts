import type { Row } from "@/lib/boxes/boxes";

const WINDOW_FRAMES = 256;
const MOST_WINDOWS = 48;

/** What is known of a frame's row: the row, null where the frame has none, undefined where it is not loaded. */
export type KnownRow = Row | null | undefined;

/** Load the rows of the frames from `fromFrame` to before `fromFrame + limit`. */
export type LoadRows = (fromFrame: number, limit: number) => Promise<readonly Row[]>;

/** The rows of a job, loaded in windows; only the windows used last are kept, so that long videos cost no more. */
export class RowWindows {
  private readonly kept = new Map<number, ReadonlyMap<number, Row>>();
  private readonly loading = new Map<number, Promise<void>>();

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

  /** Load the window of a frame, unless it is there. Fails as the loading does. */
  async ensure(frameIndex: number): Promise<void> {
    const start = startOf(frameIndex);
    if (this.kept.has(start)) return;
    if (!this.loading.has(start)) this.loading.set(start, this.fetch(start));
    await this.loading.get(start);
  }

  /** Load the windows that are needed next, before and after a frame; failures show when the frame itself is needed. */
  prefetch(frameIndex: number): void {
    for (const near of [frameIndex + WINDOW_FRAMES, frameIndex - WINDOW_FRAMES / 4]) {
      if (near >= 0) this.ensure(near).catch(() => undefined);
    }
  }

  /** How many windows are kept. */
  get size(): number {
    return this.kept.size;
  }

  private async fetch(start: number): Promise<void> {
    const rows = await this.load(start, WINDOW_FRAMES).finally(() => this.loading.delete(start));
    const inWindow = rows.filter((row) => startOf(row.frame_index) === start);
    this.kept.set(start, new Map(inWindow.map((row) => [row.frame_index, row])));
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= this.mostWindows) break;
      this.kept.delete(oldest);
    }
  }
}

function startOf(frameIndex: number): number {
  return frameIndex - (frameIndex % WINDOW_FRAMES);
}
