/** Every sentence of the job page and its player that users read. */
export const texts = {
  stage: {
    label: "Picture with boxes",
    unknown: "Frame unknown: no boxes",
    notLoaded: "The boxes could not be loaded",
    waiting: "Loading boxes",
    unsupported: {
      title: "This browser cannot name the frames of a video",
      next: "Use a current Chrome, Edge, Firefox or Safari. The downloads below have every box.",
    },
    refused: {
      title: "This browser cannot play the video",
      next: "Download the annotated MP4 below: it has the boxes drawn in and plays everywhere.",
    },
    broken: {
      title: "The video stopped loading",
      next: "Check that the server is running, and your connection.",
    },
    imageBroken: {
      title: "The image could not be loaded",
      next: "Check that the server is running, and your connection.",
    },
    retry: "Try again",
    imageRefused: { title: "This browser cannot show the image", next: "Download the original file below." },
  },
  copy: "This is a converted copy with the same frames, because browsers cannot play the file that was submitted.",
  making: {
    title: "Converting the video",
    next: "Browsers cannot play the file that was submitted. A copy with the same frames is being made, once.",
  },
  image: {
    loading: "Loading the image",
    copy: "This is a converted copy, because browsers cannot show the file that was submitted.",
    making: {
      title: "Converting the image",
      next: "Browsers cannot show the file that was submitted. A copy is being made, once.",
    },
  },
  loading: "Loading the video",
  transport: {
    label: "Playback",
    play: "Play (space)",
    pause: "Pause (space)",
    back: "Previous frame (,)",
    on: "Next frame (.)",
    first: "First frame (Home)",
    last: "Last frame (End)",
    previousDetection: "Previous detection ([)",
    nextDetection: "Next detection (])",
    speed: "Speed",
    frame: "Go to frame",
    zoomIn: "Zoom in (+)",
    zoomOut: "Zoom out (-)",
    zoomReset: "Whole picture (0)",
    link: "Copy a link to this frame",
    copied: "Link copied",
    missed: "That frame could not be reached; the nearest one is shown.",
    search: {
      none: "There is no further detection in this direction.",
      failed: "The search broke off, because the boxes could not be loaded. Try again shortly.",
    },
  },
  keys: {
    group: "Player",
    names: {
      Space: "Play or pause",
      ",": "Previous frame",
      ".": "Next frame",
      "[": "Previous detection",
      "]": "Next detection",
      Home: "First frame",
      End: "Last frame",
    },
    zoom: {
      "+": "Zoom in",
      "-": "Zoom out",
      "0": "Whole picture",
      "Shift+Arrows": "Move the enlarged picture",
    },
    timeline: {
      Arrows: "One frame on or back",
      PageUp: "A leap back",
      PageDown: "A leap on",
    },
  },
  timeline: {
    title: "Timeline",
    label: "Timeline of frames",
    hint: "Click, or use the arrow keys, Page Up, Page Down, Home and End.",
    empty: {
      title: "Nothing was found",
      next: "The tools reported no box in the frames that they saw. Try other options.",
    },
    notAnalysed: "not analysed",
    tail: (first: string, last: string) =>
      first === last
        ? `Frame ${first} was not analysed: the job ended before it.`
        : `Frames ${first} to ${last} were not analysed: the job ended before them.`,
    omitted: (count: number) => `${count} more lanes are not shown.`,
  },
  objects: {
    title: "Objects",
    name: "Object",
    tool: "Tool",
    first: "First",
    last: "Last",
    frames: "Frames",
    count: (count: number) => `${count} in all`,
  },
  record: {
    loading: "Loading the job",
    facts: "About this job",
    found: "Found",
    damaged: "Damaged frames",
    size: "Picture",
    codec: "Codec",
    submitted: "Submitted",
    took: "Took",
    id: "Job id",
    options: "Options",
    jobs: "Jobs",
    retry: "Submit again",
    cancel: "Cancel job",
  },
  timings: {
    title: "Where the time went",
    empty: "Not measured yet.",
    stages: { fetch: "Fetch", decode: "Decode", process: "Analyze", encode: "Encode", publish: "Publish" },
  },
  attempts: {
    title: "Attempts",
    empty: "No runner has taken the job yet.",
    running: "running",
    log: "Last lines of its log",
    frame: (frame: number) => `frame ${frame}`,
    rows: (rows: number) => `${rows} ${rows === 1 ? "frame" : "frames"}`,
  },
  downloads: {
    title: "Downloads",
    json: "JSON",
    jsonl: "JSON lines",
    csv: "CSV",
    mp4: "Annotated MP4",
    input: "Original file",
    drawing: "Drawing the boxes into the video",
  },
  states: {
    pending: {
      title: "Waiting for a runner",
      next: "The job starts as soon as a runner has a free place. Nothing needs to be done.",
    },
    cancelled: { title: "The job was cancelled", next: "What had been found until then is below." },
    noRows: { title: "There is nothing to review", next: "The job ended before its first frame was stored." },
  },
  failure: {
    title: "The job failed",
    show: (frame: number) => `Show frame ${frame}, the last one before it failed`,
    log: "Last lines of the plugin's log",
    unknown: "It failed for a reason that this page does not know",
    next: "Submit it again. If it fails in the same way, try other options or another file.",
    /** What a code means, and what to do next. */
    codes: {
      PLUGIN_TIMEOUT: [
        "The plugin took longer than its limit",
        "Try fewer tools at once, or ask the operator for a longer limit.",
      ],
      PLUGIN_OOM: ["The plugin needed more memory than its limit", "Try a smaller picture or fewer tools at once."],
      PLUGIN_CRASH: [
        "The plugin's process died",
        "Submit it again. If it dies at the same frame, report the log to the plugin's author.",
      ],
      PLUGIN_ERROR: [
        "The plugin raised an error",
        "Check the options against the plugin's description. If they are right, tell its author what stands here.",
      ],
      PLUGIN_UNAVAILABLE: ["The plugin cannot run here", "The page Plugins says what it lacks."],
      MEDIA_INVALID: [
        "The media cannot be used",
        "Check that the file plays from start to end, or convert it, and submit it again.",
      ],
      MEDIA_TOO_LARGE: ["The media is larger than allowed", "Cut it or make its picture smaller, and submit it again."],
      DEVICE_UNAVAILABLE: ["The device is not available", "Submit it again with the device set to automatic."],
      ATTEMPTS_EXHAUSTED: [
        "The job failed too many times",
        "The list of attempts shows where. Submit it again when the cause is removed.",
      ],
      DISK_LIMIT: [
        "The plugin wrote more to disk than its limit",
        "Try a shorter video, or report it to the plugin's author.",
      ],
      STORAGE_FULL: ["The service had no room", "Ask the operator to make room, then submit it again."],
      INTERNAL: [
        "Something went wrong inside the service",
        "Submit it again. If it fails again, tell the operator the job id.",
      ],
    } as Readonly<Record<string, readonly [string, string]>>,
  },
} as const;
