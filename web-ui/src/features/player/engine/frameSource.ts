/** Takes the picture that a video element shows at this moment, together with the time it has in the file. */

import type { Picture } from "./Painter";

/** A picture and its time in microseconds. */
export interface TakenPicture {
  picture: Picture;
  timestampUs: number;
}

/**
 * Take the present picture of a video, or null where it has none yet. `mediaTime` is the time in seconds that
 * requestVideoFrameCallback announced, null outside of it.
 */
export type TakePicture = (video: HTMLVideoElement, mediaTime: number | null) => TakenPicture | null;

/** How much the two clocks may differ on a video that stands still. */
const SAME_US = 1_000;

/** Take a VideoFrame: its own time says which picture it is, also when the video has moved on since the announcement. */
const takeByFrameTime: TakePicture = (video) => {
  const frame = takeFrame(video);
  return frame === null ? null : { picture: frame, timestampUs: frame.timestamp };
};

/** Take a VideoFrame and believe the announcement's time: for browsers whose frames do not carry the file's times. */
const takeByAnnouncedTime: TakePicture = (video, mediaTime) => {
  if (mediaTime === null) return null;
  const frame = takeFrame(video);
  return frame === null ? null : { picture: frame, timestampUs: Math.round(mediaTime * 1e6) };
};

/**
 * Return the way to take pictures that works in this browser. The video stands still at an announced picture: a frame
 * taken now has the announced time, or else its times mean something else.
 */
export function wayToTake(video: HTMLVideoElement, announcedTime: number): TakePicture {
  const frame = takeFrame(video);
  if (frame === null) return takeByFrameTime;
  const isSame = Math.abs(frame.timestamp - announcedTime * 1e6) < SAME_US;
  frame.close();
  return isSame ? takeByFrameTime : takeByAnnouncedTime;
}

function takeFrame(video: HTMLVideoElement): VideoFrame | null {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
  try {
    return new VideoFrame(video);
  } catch (error) {
    if (error instanceof DOMException) return null; // between two pictures, as while a seek begins
    throw error;
  }
}
