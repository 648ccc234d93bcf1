/**
 * Draws a picture and its boxes onto one canvas in one task, so that no one ever sees the one without the other.
 *
 * It owns the picture it shows and closes it when the next one comes: what is repainted after a change of size, zoom or
 * look is the same picture with the same boxes. The canvas says in `data-frame-index` which frame's boxes it shows
 * ("unknown" where none was identified) and sends the event `picture` in the task that drew it.
 */

import { Colours } from "@/lib/boxes/colours";

import { drawOverlay, type Look, type Overlay } from "./overlay";
import { placed, WHOLE, type View } from "./view";

/** A picture that can be drawn, and let go when it is not needed any more. */
export type Picture = CanvasImageSource & { close?: () => void };

/** A picture with what is known about it. */
export interface Shown {
  picture: Picture;
  /** Null where the picture could not be identified; it then has no overlay. */
  frameIndex: number | null;
  /** Null where its row could not be loaded. */
  overlay: Overlay | null;
}

/** The size of the upright picture as it is displayed, and the size in which boxes are given. */
export interface PictureSize {
  display: { width: number; height: number };
  boxes: { width: number; height: number };
}

/** What stands on a picture without boxes. */
export interface Marks {
  unknown: string;
  notLoaded: string;
}

/** Paints one canvas. */
export class Painter {
  private shown: Shown | null = null;
  private view: View = WHOLE;
  private look: Look = { boxes: true, labels: true, pitch: true, radar: true };
  private unit = 1;
  private colours = new Colours();

  constructor(
    private readonly canvas: HTMLCanvasElement,
    readonly size: PictureSize,
    private readonly marks: Marks,
  ) {}

  /** Show a picture in place of the one before it. */
  show(shown: Shown): void {
    const before = this.shown?.picture;
    this.shown = shown;
    this.repaint();
    if (before !== shown.picture) before?.close?.();
    this.canvas.dispatchEvent(new CustomEvent("picture", { detail: { frameIndex: shown.frameIndex } }));
  }

  /** Look at another part of the picture. */
  setView(view: View): void {
    this.view = view;
    this.repaint();
  }

  /** Switch what is drawn over the picture. */
  setLook(look: Look): void {
    this.look = look;
    this.repaint();
  }

  /** Draw boxes in these colours. */
  setColours(colours: Colours): void {
    this.colours = colours;
    this.repaint();
  }

  /** Give the canvas its size in page pixels, and how many canvas pixels one of them has. */
  resize(width: number, height: number, unit: number): void {
    this.unit = unit;
    const size = { width: Math.max(1, Math.round(width * unit)), height: Math.max(1, Math.round(height * unit)) };
    if (this.canvas.width === size.width && this.canvas.height === size.height) return;
    this.canvas.width = size.width;
    this.canvas.height = size.height;
    this.repaint();
  }

  /** Let the picture go. */
  close(): void {
    this.shown?.picture.close?.();
    this.shown = null;
  }

  private repaint(): void {
    const context = this.canvas.getContext("2d");
    if (context === null || this.shown === null) return;
    const { picture, frameIndex, overlay } = this.shown;
    const at = placed(this.view, this.size.display, this.canvas);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.imageSmoothingEnabled = this.view.zoom < 4;
    context.drawImage(picture, at.x, at.y, at.width, at.height);
    if (frameIndex === null) this.mark(context, this.marks.unknown);
    else if (overlay === null) this.mark(context, this.marks.notLoaded);
    else drawOverlay(context, overlay, this.size.boxes, at, { ...this.look, unit: this.unit, colours: this.colours });
    this.canvas.dataset["frameIndex"] = frameIndex === null ? "unknown" : String(frameIndex);
    this.canvas.dataset["boxes"] = overlay === null ? "none" : String(overlay.boxes.length);
  }

  private mark(context: CanvasRenderingContext2D, text: string): void {
    context.font = `600 ${13 * this.unit}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    const width = context.measureText(text).width + 20 * this.unit;
    context.fillStyle = "rgba(11, 18, 21, 0.85)";
    context.fillRect(8 * this.unit, 8 * this.unit, width, 28 * this.unit);
    context.fillStyle = "#facc15";
    context.fillText(text, 18 * this.unit, 22 * this.unit);
  }
}
