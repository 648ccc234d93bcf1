/**
 * Paints preview pictures onto a canvas, past React: the newest wins, at most one per animation frame, and no more
 * often than the reader asked for. A picture and its boxes come in one message and are painted in one task, so boxes
 * never stand on another frame.
 */
import type { FoundBox } from "@/lib/boxes/boxes";
import { Colours } from "@/lib/boxes/colours";
import { drawBoxes } from "@/lib/boxes/drawing";
import type { Box, FramePayload } from "@/lib/wire";

/** What is to be seen over a picture, and how often a new one. */
export interface PreviewLook {
  boxes: boolean;
  labels: boolean;
  /** Pictures a second. */
  rate: number;
  /** The job's only tool, as whose the review shows the boxes; else they are shown as the plugin's. */
  tool?: string | null;
}

export interface PainterSurroundings {
  loadPicture: (address: string) => Promise<CanvasImageSource>;
  requestFrame: (paint: (nowMs: number) => void) => number;
  cancelFrame: (request: number) => void;
}

const BROWSER: PainterSurroundings = {
  loadPicture: async (address) => {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    return picture;
  },
  requestFrame: (paint) => requestAnimationFrame(paint),
  cancelFrame: (request) => cancelAnimationFrame(request),
};

/** Pictures come unevenly: one that is this much early is still in time. */
const EARLY_MS = 40;

interface Loaded {
  frame: FramePayload;
  picture: CanvasImageSource;
}

export class FramePainter {
  readonly #canvas: HTMLCanvasElement;
  readonly #around: PainterSurroundings;
  #look: PreviewLook;
  readonly #colours = new Colours();
  #newest: FramePayload | null = null;
  #loaded: Loaded | null = null;
  #painted: Loaded | null = null;
  #paintedAtMs = Number.NEGATIVE_INFINITY;
  #request: number | null = null;

  constructor(canvas: HTMLCanvasElement, look: PreviewLook, surroundings: Partial<PainterSurroundings> = {}) {
    this.#canvas = canvas;
    this.#look = look;
    this.#around = { ...BROWSER, ...surroundings };
  }

  /** Show a frame as soon as its picture is decoded, unless a newer one has come by then. */
  show(frame: FramePayload): void {
    if (frame === this.#newest) return;
    this.#newest = frame;
    this.#around.loadPicture(frame.data.image).then(
      (picture) => {
        if (frame !== this.#newest) return;
        this.#loaded = { frame, picture };
        this.#schedule();
      },
      () => undefined, // a picture that cannot be decoded is skipped: the next one comes within a second
    );
  }

  /** Change what is drawn; the picture that is shown changes at once. */
  setLook(look: PreviewLook): void {
    this.#look = look;
    if (this.#painted !== null) this.#paint(this.#painted);
  }

  stop(): void {
    if (this.#request !== null) this.#around.cancelFrame(this.#request);
    this.#request = null;
    this.#newest = null;
  }

  #schedule(): void {
    this.#request ??= this.#around.requestFrame((nowMs) => {
      this.#request = null;
      if (this.#loaded === null) return;
      if (nowMs - this.#paintedAtMs < 1000 / this.#look.rate - EARLY_MS) {
        this.#schedule();
        return;
      }
      this.#paintedAtMs = nowMs;
      this.#painted = this.#loaded;
      this.#loaded = null;
      this.#paint(this.#painted);
    });
  }

  #paint({ frame, picture }: Loaded): void {
    const { width, height, boxes } = frame.data;
    const shownWidth = this.#canvas.clientWidth || width;
    this.#canvas.width = Math.round(shownWidth * window.devicePixelRatio);
    this.#canvas.height = Math.round((this.#canvas.width * height) / width);
    // A tall picture is shown smaller than it is painted; its lines and letters are painted larger by as much.
    const shownHeight = this.#canvas.clientHeight;
    const unit = shownHeight === 0 ? window.devicePixelRatio : this.#canvas.height / shownHeight;
    this.#canvas.setAttribute("aria-label", describe(frame));
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    const whole = { x: 0, y: 0, width: this.#canvas.width, height: this.#canvas.height };
    context.drawImage(picture, 0, 0, whole.width, whole.height);
    const found = boxes.map((box) => foundBox(box, this.#look.tool ?? frame.plugin));
    drawBoxes(context, found, { width, height }, whole, { ...this.#look, unit, colours: this.#colours });
  }
}

function describe(frame: FramePayload): string {
  const count = frame.data.boxes.length;
  return `Frame ${frame.frame_index} with ${count} ${count === 1 ? "box" : "boxes"}`;
}

function foundBox(box: Box, tool: string): FoundBox {
  return {
    tool,
    corners: [box.x, box.y, box.x + box.width, box.y + box.height],
    trackId: box.track_id ?? null,
    className: box.class === null ? null : String(box.class),
    confidence: box.confidence,
  };
}
