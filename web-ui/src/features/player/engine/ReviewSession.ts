/**
 * One review of one video: the player once its elements are on the page, and what outlives them (rows, zoom, look).
 *
 * React reads it with useSyncExternalStore. It also fills `globalThis.forgesytePlayer`, by which tests and curious
 * people read how many pictures were announced, drawn and not identified.
 */

import { boxesOfRow } from "@/lib/boxes/boxes";
import { Colours } from "@/lib/boxes/colours";

import { findDetection } from "./findDetection";
import type { FrameTable } from "./FrameTable";
import { wayToTake } from "./frameSource";
import { type Look, overlayOf } from "./overlay";
import { type Marks, Painter, type PictureSize, type Shown } from "./Painter";
import { Player, type PlayerState } from "./Player";
import { type LoadRows, RowWindows } from "./RowWindows";
import { moved, type View, WHOLE, zoomed } from "./view";

declare global {
  var forgesytePlayer: { state: () => PlayerState | null; goToFrame: (frame: number) => void } | undefined;
}

/** What a review shows besides the player's own state. */
export interface ReviewState {
  player: PlayerState | null;
  /** The frame that is shown; null before the first one or where it is not identified. */
  frame: number | null;
  view: View;
  look: Look;
  /** Whether any picture so far had a pitch or a radar. */
  has: { pitch: boolean; radar: boolean };
  /** How the last search for a detection ended, where it found no frame. */
  search: "none" | "failed" | null;
}

/** Reviews one video. */
export class ReviewSession {
  private state: ReviewState = {
    player: null,
    frame: null,
    view: WHOLE,
    look: { boxes: true, labels: true, pitch: true, radar: true },
    has: { pitch: false, radar: false },
    search: null,
  };
  private readonly listeners = new Set<() => void>();
  private readonly rows: RowWindows;
  private painter: Painter | null = null;
  private canvas: HTMLCanvasElement | null = null;
  private wanted = 0;
  private colours = new Colours();
  private searching = new AbortController();
  player: Player | null = null;

  constructor(
    readonly table: FrameTable,
    private readonly tools: readonly string[],
    loadRows: LoadRows,
    private readonly marks: Marks,
  ) {
    this.rows = new RowWindows(loadRows);
  }

  getState = (): ReviewState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The upright picture as it is displayed, and the pixels in which boxes are given. */
  get size(): PictureSize {
    const { width, height, pixelAspect } = this.table.facts;
    return { display: { width: width * pixelAspect, height }, boxes: { width, height } };
  }

  /** Begin on these two elements. Returns the function that ends it. */
  attach(video: HTMLVideoElement, canvas: HTMLCanvasElement): () => void {
    const painter = new Painter(canvas, this.size, this.marks);
    painter.setView(this.state.view);
    painter.setLook(this.state.look);
    painter.setColours(this.colours);
    const player = new Player({
      video,
      table: this.table,
      rows: this.rows,
      painter: { show: (shown) => this.show(painter, shown) },
      overlayOf: (row) => overlayOf(row, this.tools),
      wayToTake,
    });
    this.painter = painter;
    this.player = player;
    this.canvas = canvas;
    const begin = (): void => this.goToFrame(this.wanted);
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) begin();
    else video.addEventListener("loadeddata", begin, { once: true });
    const unsubscribe = player.subscribe(() => this.readPlayer());
    globalThis.forgesytePlayer = { state: player.getState, goToFrame: (frame) => this.goToFrame(frame) };
    return () => {
      video.removeEventListener("loadeddata", begin);
      unsubscribe();
      this.searching.abort();
      if (player.getState().place !== null) this.wanted = this.table.frameAt(player.place);
      player.close();
      painter.close();
      this.player = null;
      this.painter = null;
      this.canvas = null;
      globalThis.forgesytePlayer = undefined;
    };
  }

  /** Show an image, as soon as it and its row are there. Returns the function that ends it. */
  attachImage(image: HTMLImageElement, canvas: HTMLCanvasElement): () => void {
    const painter = new Painter(canvas, this.size, this.marks);
    this.painter = painter;
    this.canvas = canvas;
    const show = (): void => {
      if (this.painter !== painter) return;
      this.show(painter, { picture: image, frameIndex: 0, overlay: overlayOf(this.rows.get(0), this.tools) });
      this.set({ frame: 0 });
    };
    const ready = Promise.allSettled([image.decode(), this.rows.ensure(0)]);
    void ready.then(([decoded]) => {
      if (decoded.status === "fulfilled") show();
    });
    return () => {
      painter.close();
      this.painter = null;
      this.canvas = null;
    };
  }

  /** Show a frame, as soon as the video is there. */
  goToFrame(frame: number): void {
    this.wanted = frame;
    this.player?.goTo(this.table.placeOf(frame));
  }

  /** Show the next or the previous frame with a box. `ranges` says where any can be. */
  async goToDetection(direction: 1 | -1, ranges: readonly (readonly [number, number])[]): Promise<void> {
    const { player } = this;
    if (player === null) return;
    player.pause();
    this.searching.abort();
    this.searching = new AbortController();
    const { signal } = this.searching;
    const from = this.table.frameAt(player.place);
    const hasBoxes = (row: Parameters<typeof boxesOfRow>[0]): boolean => boxesOfRow(row, this.tools).length > 0;
    const search = findDetection({ from, direction, ranges, rows: this.rows, hasBoxes, signal });
    const found = await search.catch(() => "failed" as const);
    if (signal.aborted) return;
    this.set({ search: found === null ? "none" : found === "failed" ? found : null });
    if (typeof found === "number") this.goToFrame(found);
  }

  /** Give the canvas its size on the page. */
  resize(width: number, height: number): void {
    this.painter?.resize(width, height, globalThis.devicePixelRatio);
  }

  /** Enlarge around a point of the canvas (page pixels; the middle where none is given). */
  zoom(factor: number, at?: { x: number; y: number }): void {
    if (this.canvas === null) return;
    const unit = globalThis.devicePixelRatio;
    const point =
      at === undefined ? { x: this.canvas.width / 2, y: this.canvas.height / 2 } : { x: at.x * unit, y: at.y * unit };
    this.setView(zoomed(this.state.view, factor, point, this.size.display, this.canvas));
  }

  /** Move the picture by page pixels. */
  pan(x: number, y: number): void {
    if (this.canvas === null) return;
    const unit = globalThis.devicePixelRatio;
    this.setView(moved(this.state.view, { x: x * unit, y: y * unit }, this.size.display, this.canvas));
  }

  /** Look at another part of the picture. */
  setView(view: View): void {
    this.painter?.setView(view);
    this.set({ view });
  }

  /** Switch what is drawn over the picture. */
  setLook(look: Look): void {
    this.painter?.setLook(look);
    this.set({ look });
  }

  /** Draw boxes in the colours of the lanes. */
  setColours(colours: Colours): void {
    this.colours = colours;
    this.painter?.setColours(colours);
  }

  private show(painter: Painter, shown: Shown): void {
    painter.show(shown);
    const { pitch, radar } = shown.overlay?.field ?? { pitch: null, radar: null };
    const { has } = this.state;
    if ((pitch !== null && !has.pitch) || (radar !== null && !has.radar)) {
      this.set({ has: { pitch: has.pitch || pitch !== null, radar: has.radar || radar !== null } });
    }
  }

  private readPlayer(): void {
    const player = this.player?.getState() ?? null;
    const place = player?.place ?? null;
    const frame = place === null ? null : this.table.frameAt(place);
    const search = frame === this.state.frame ? this.state.search : null;
    this.set({ player, frame, search });
  }

  private set(change: Partial<ReviewState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}
