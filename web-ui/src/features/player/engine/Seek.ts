/** Goes to one frame: aims at the middle of its time, looks what came, and nudges while it was another one. */

import type { FrameTable } from "./FrameTable";

/** How often a seek that ended beside its frame is aimed again. */
const MOST_NUDGES = 4;
/** How long the picture of a seek may take to come after the seek has ended, before it is looked for again. */
const SETTLE_MS = 250;
/** How often it is looked for while the browser has announced no picture: a busy machine needs seconds. */
const MOST_LOOKS = 8;
/** How far from the middle of a frame a nudge aims, as a share of its length: never outside of it. */
const NUDGE = 0.1;

interface Hooks {
  /** Show the present picture and return its place; null where it is not identified. */
  look: () => number | null;
  onMissed: () => void;
}

/** The seeks of one video, the newest of which counts. */
export class Seek {
  /** The place that is being sought. */
  target: number | null = null;
  private aimedAt: number | null = null;
  private nudges = 0;
  private looks = 0;
  /** Whether a picture was announced since the last aim. */
  private hasSeen = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly table: FrameTable,
    private readonly hooks: Hooks,
  ) {}

  /** Go to a place; a seek that is under way ends first. */
  to(place: number): void {
    this.target = place;
    this.nudges = 0;
    clearTimeout(this.timer);
    if (!this.video.seeking) this.aim(0);
  }

  /** The video has ended a seek. One that plays has left the frame by now, and shows it when it was seen. */
  arrived(): void {
    if (this.target !== null && this.aimedAt !== this.target) {
      this.aim(0);
      return;
    }
    const place = this.hooks.look();
    if (this.isOver(place)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), SETTLE_MS);
  }

  /** A picture was announced and shown. */
  sees(place: number | null): void {
    if (this.video.seeking || this.aimedAt !== this.target) return;
    this.hasSeen = true;
    this.isOver(place);
  }

  /** Forget the seek. */
  close(): void {
    clearTimeout(this.timer);
    this.target = null;
  }

  private isOver(place: number | null): boolean {
    if (this.target === null) return true;
    if (place !== this.target && this.video.paused) return false;
    this.close();
    return true;
  }

  private settle(): void {
    const place = this.hooks.look();
    if (this.target === null || this.isOver(place)) return;
    if (!this.hasSeen && this.looks < MOST_LOOKS) {
      this.looks += 1;
      this.timer = setTimeout(() => this.settle(), SETTLE_MS);
      return;
    }
    if (this.nudges >= MOST_NUDGES) {
      this.close();
      this.hooks.onMissed();
      return;
    }
    this.nudges += 1;
    const direction = place === null ? (this.nudges % 2 === 0 ? -1 : 1) : Math.sign(this.target - place);
    this.aim(direction * this.nudges * NUDGE * this.table.lengthUs(this.target));
  }

  private aim(offsetUs: number): void {
    if (this.target === null) return;
    this.aimedAt = this.target;
    this.looks = 0;
    this.hasSeen = false;
    this.video.currentTime = Math.max(0, (this.table.middleUs(this.target) + offsetUs) / 1e6);
  }
}
