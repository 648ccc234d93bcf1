/**
 * Shows each picture of a video together with the boxes of its frame, and goes to any frame exactly.
 *
 * The time of the very picture that is drawn is looked up in the table of frames. A picture that cannot be identified is
 * drawn with a mark and without boxes; one whose row is not loaded waits for it, and the video with it.
 */

import type { FrameTable } from "./FrameTable";
import type { TakePicture, TakenPicture } from "./frameSource";
import type { Overlay } from "./overlay";
import type { Shown } from "./Painter";
import { Seek } from "./Seek";
import type { KnownRow } from "./RowWindows";

/** What a player needs; everything outside it is handed in. */
export interface PlayerParts {
  video: HTMLVideoElement;
  table: FrameTable;
  rows: {
    get: (frame: number) => KnownRow;
    ensure: (frame: number) => Promise<void>;
    prefetch: (frame: number) => void;
    /** Milliseconds until a row that could not be loaded may be asked for again. */
    waitOf: (frame: number) => number;
  };
  painter: { show: (shown: Shown) => void };
  /** Null while the row is not loaded. */
  overlayOf: (row: KnownRow) => Overlay | null;
  /** Called once, on the first announced picture, while the video stands still. */
  wayToTake: (video: HTMLVideoElement, announcedTime: number) => TakePicture;
}

/** What the controls show. Places are positions in the table of frames. */
export interface PlayerState {
  isReady: boolean;
  isPlaying: boolean;
  isWaiting: boolean;
  speed: number;
  /** The place of the picture that is shown; null before the first one, or where it is not identified. */
  place: number | null;
  /** How many pictures the browser announced, how many of them were drawn with their boxes, and how many drawn without. */
  announced: number;
  drawn: number;
  unknown: number;
  /** Whether the last frame that was sought could not be reached. */
  hasMissed: boolean;
}

const FIRST: PlayerState = {
  isReady: false,
  isPlaying: false,
  isWaiting: false,
  speed: 1,
  place: null,
  announced: 0,
  drawn: 0,
  unknown: 0,
  hasMissed: false,
};

/** A picture that waits for the row of its frame. */
interface Held {
  taken: TakenPicture;
  place: number;
  isAnnounced: boolean;
}

/** The slowest and the fastest speed. */
const SPEEDS = { least: 0.1, most: 8 } as const;

/** Plays one video with its boxes. */
export class Player {
  private state = FIRST;
  private readonly listeners = new Set<() => void>();
  private readonly ended = new AbortController();
  private readonly seek: Seek;
  private take: TakePicture | null = null;
  private held: Held | null = null;
  private lastPlace = 0;
  /** Whether the picture on the canvas has its boxes. */
  private isWhole = false;
  /** Whether a picture was announced and could not be taken yet, as while a seek ends. */
  private isOwed = false;
  private wantsToPlay = false;
  private request = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly parts: PlayerParts) {
    const { video, table } = parts;
    const options = { signal: this.ended.signal };
    this.seek = new Seek(video, table, {
      look: () => this.capture(null),
      onMissed: () => this.set({ hasMissed: true }),
    });
    video.addEventListener("seeked", () => this.seek.arrived(), options);
    video.addEventListener("ended", () => this.pause(), options);
    // A busy browser leaves out the last pictures: the one that it stops at is shown.
    video.addEventListener("ended", () => void this.capture(null), options);
    this.request = video.requestVideoFrameCallback(this.announced);
  }

  /** The present state; another object after each change. */
  getState = (): PlayerState => this.state;

  /** Call `listener` after each change. Returns the function that ends it. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The place that is shown, or the one that is being sought: steps count from there. */
  get place(): number {
    return this.seek.target ?? this.lastPlace;
  }

  /** Play on, from the start when the end is reached. */
  play(): void {
    if (this.place >= this.parts.table.count - 1) this.goTo(0);
    this.wantsToPlay = true;
    this.set({ isPlaying: true });
    if (this.held === null) this.start();
  }

  /** Stand still. */
  pause(): void {
    this.wantsToPlay = false;
    this.parts.video.pause();
    this.set({ isPlaying: false });
  }

  /** Play where it stands still, and the reverse. */
  toggle(): void {
    if (this.state.isPlaying) this.pause();
    else this.play();
  }

  /** Show the frame at a place; the first or the last one where there is none. */
  goTo(place: number): void {
    const { count } = this.parts.table;
    if (count === 0) return;
    this.set({ hasMissed: false });
    this.seek.to(Math.min(count - 1, Math.max(0, place)));
  }

  /** Stand still and go so many frames on, or back. */
  step(by: number): void {
    this.pause();
    this.goTo(this.place + by);
  }

  /** Play faster or slower, 0.1 to 8 times. */
  setSpeed(speed: number): void {
    const allowed = Math.min(SPEEDS.most, Math.max(SPEEDS.least, speed));
    this.parts.video.playbackRate = allowed;
    this.set({ speed: allowed });
  }

  /** Stop listening to the video and let go of what is held. */
  close(): void {
    this.ended.abort();
    clearTimeout(this.retry);
    this.seek.close();
    this.parts.video.cancelVideoFrameCallback(this.request);
    this.held?.taken.picture.close?.();
    this.held = null;
    this.listeners.clear();
  }

  private announced = (_now: number, announced: { mediaTime: number }): void => {
    this.request = this.parts.video.requestVideoFrameCallback(this.announced);
    this.take ??= this.parts.wayToTake(this.parts.video, announced.mediaTime);
    this.state = { ...this.state, announced: this.state.announced + 1 };
    this.capture(announced.mediaTime);
    this.seek.sees(this.state.place);
  };

  private capture(mediaTime: number | null): number | null {
    const taken = this.take?.(this.parts.video, mediaTime) ?? null;
    const isAnnounced = mediaTime !== null || this.isOwed;
    this.isOwed = isAnnounced && taken === null;
    if (taken === null) return this.state.place;
    const place = this.parts.table.placeAt(taken.timestampUs);
    if (place === -1) this.showUnknown(taken);
    else if (place === this.state.place && this.isWhole) this.keep(taken, isAnnounced);
    else this.showFrame({ taken, place, isAnnounced });
    return place === -1 ? null : place;
  }

  /** The picture is on the canvas already. */
  private keep(taken: TakenPicture, isAnnounced: boolean): void {
    taken.picture.close?.();
    if (isAnnounced) this.set({ drawn: this.state.drawn + 1 });
  }

  private showUnknown(taken: TakenPicture): void {
    this.drop();
    this.isWhole = false;
    this.parts.painter.show({ picture: taken.picture, frameIndex: null, overlay: null });
    this.set({ place: null, isReady: true, isWaiting: false, unknown: this.state.unknown + 1 });
  }

  private showFrame(next: Held): void {
    this.drop();
    this.lastPlace = next.place;
    const frameIndex = this.parts.table.frameAt(next.place);
    const row = this.parts.rows.get(frameIndex);
    this.parts.rows.prefetch(frameIndex);
    if (row === undefined && this.parts.rows.waitOf(frameIndex) === 0) this.hold(next, frameIndex);
    else this.draw(next, row);
  }

  private draw({ taken, place, isAnnounced }: Held, row: KnownRow): void {
    const overlay = this.parts.overlayOf(row);
    const frameIndex = this.parts.table.frameAt(place);
    this.parts.painter.show({ picture: taken.picture, frameIndex, overlay });
    this.isWhole = overlay !== null;
    if (row === undefined) this.lookAgain(this.parts.rows.waitOf(frameIndex));
    const drawn = this.state.drawn + (isAnnounced && this.isWhole ? 1 : 0);
    this.set({ place, isReady: true, isWaiting: false, drawn });
  }

  /** Keep a picture, and the video, until the picture's row is there. */
  private hold(next: Held, frameIndex: number): void {
    this.held = next;
    this.isWhole = false;
    this.parts.video.pause();
    this.set({ place: next.place, isWaiting: true });
    const release = (): void => {
      if (this.held !== next) return;
      this.held = null;
      this.draw(next, this.parts.rows.get(frameIndex));
      if (this.wantsToPlay) this.start();
    };
    this.parts.rows.ensure(frameIndex).then(release, release);
  }

  /** Try again, when the pause is over, to show the boxes that could not be loaded. */
  private lookAgain(pause: number): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      if (!this.isWhole && this.held === null && this.state.place !== null) this.capture(null);
    }, pause);
  }

  private drop(): void {
    this.held?.taken.picture.close?.();
    this.held = null;
  }

  private start(): void {
    this.parts.video.play().catch(() => {
      if (this.wantsToPlay && this.held === null) this.pause(); // the browser wants a gesture first
    });
  }

  private set(change: Partial<PlayerState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}
