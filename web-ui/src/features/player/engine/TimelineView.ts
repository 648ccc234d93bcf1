import { AXIS, drawTimeline, LANE, type DrawnLane, type Tail, type TimelineScene } from "./drawTimeline";
import { frameAtX, type Scale } from "./timelineGeometry";

const NARROW = 560;

interface Shown {
  lanes: readonly DrawnLane[];
  chosen: string | null;
  frame: number | null;
}

/** The canvas of a timeline: draws at most once per animation frame, only the lanes that are scrolled to. */
export class TimelineView {
  private shown: Shown = { lanes: [], chosen: null, frame: null };
  private request = 0;
  private readonly observer: ResizeObserver;
  private readonly ended = new AbortController();

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly scroller: HTMLElement,
    private readonly facts: Omit<Scale, "width">,
    private readonly tail: Tail,
  ) {
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(canvas);
    scroller.addEventListener("scroll", () => this.draw(), { signal: this.ended.signal, passive: true });
  }

  /** Draw something else; a lane that was chosen newly is scrolled to. */
  show(shown: Shown): void {
    const isNewChoice = shown.chosen !== this.shown.chosen;
    this.shown = shown;
    if (isNewChoice) this.reveal(shown.lanes.findIndex((lane) => lane.key === shown.chosen));
    this.draw();
  }

  /** Return what is at a point: a lane where there is one, and a frame right of the names. */
  at(x: number, y: number): { lane: DrawnLane | undefined; frame: number | undefined } {
    const { names, scale, scrolled } = this.scene();
    const lane = y < AXIS ? undefined : this.shown.lanes[Math.floor((y - AXIS + scrolled) / LANE)];
    return { lane, frame: x < names ? undefined : frameAtX(x - names, scale) };
  }

  /** Draw no more. */
  close(): void {
    cancelAnimationFrame(this.request);
    this.observer.disconnect();
    this.ended.abort();
  }

  private draw(): void {
    cancelAnimationFrame(this.request);
    this.request = requestAnimationFrame(() => this.paint());
  }

  private paint(): void {
    const context = this.canvas.getContext("2d");
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (context === null || width === 0) return;
    const unit = globalThis.devicePixelRatio;
    this.canvas.width = Math.round(width * unit);
    this.canvas.height = Math.round(height * unit);
    context.scale(unit, unit);
    drawTimeline(context, this.scene(), width, height);
  }

  private scene(): TimelineScene {
    const width = this.canvas.clientWidth;
    const names = width < NARROW ? 84 : 148;
    const scale = { ...this.facts, width: Math.max(1, width - names - 8) };
    return { ...this.shown, scrolled: this.scroller.scrollTop, names, scale, tail: this.tail };
  }

  private reveal(index: number): void {
    if (index === -1) return;
    const { scrollTop, clientHeight } = this.scroller;
    const top = index * LANE;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + LANE + AXIS > scrollTop + clientHeight) this.scroller.scrollTop = top + LANE + AXIS - clientHeight;
  }
}
