/** A video element of tests: it shows the picture it is told to, and says so as browsers do. */
export class FakeVideo extends EventTarget {
  paused = true;
  seeking = false;
  playbackRate = 1;
  readyState = 4;
  /** The time of the picture that is shown, in microseconds. */
  shownUs = 0;
  readonly sought: number[] = [];
  private callback: ((now: number, announced: { mediaTime: number }) => void) | null = null;

  get currentTime(): number {
    return this.sought.at(-1) ?? 0;
  }

  set currentTime(seconds: number) {
    this.seeking = true;
    this.sought.push(seconds);
  }

  play(): Promise<void> {
    this.paused = false;
    return Promise.resolve();
  }

  pause(): void {
    this.paused = true;
  }

  requestVideoFrameCallback(callback: (now: number, announced: { mediaTime: number }) => void): number {
    this.callback = callback;
    return 1;
  }

  cancelVideoFrameCallback(): void {
    this.callback = null;
  }

  /** Show a picture and announce it. */
  present(timeUs: number): void {
    this.shownUs = timeUs;
    const callback = this.callback;
    this.callback = null;
    callback?.(0, { mediaTime: timeUs / 1e6 });
  }

  /** End the seek that is under way. */
  arrive(): void {
    this.seeking = false;
    this.dispatchEvent(new Event("seeked"));
  }
}
