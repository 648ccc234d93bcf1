"""NanoDet by onnxruntime: vehicles with their boxes. The model's README says how to prepare and decode."""

import cv2
import numpy as np
import onnxruntime

from forgesyte_sdk import Box, Detections, Plugin, Tool, ToolOptions

LONG_SIDE_PX, MULTIPLE, PADDING = 416, 32, 114
MEAN = np.array([103.53, 116.28, 123.675], np.float32)
SPREAD = np.array([57.375, 57.12, 58.395], np.float32)
STRIDES, BINS = (8, 16, 32), 11
WANTED = {2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}
LEAST_SCORE, MOST_OVERLAP = 0.25, 0.6


class NanoDetOptions(ToolOptions):
    """Where the model lies."""

    model: str
    threads: int = 2


class Detect(Tool[NanoDetOptions, Detections]):
    """Finds vehicles."""

    name = "detect"

    def prepare(self, job):
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self.options.threads
        self._net = onnxruntime.InferenceSession(self.options.model, settings, providers=["CPUExecutionProvider"])

    def process_frame(self, frame):
        picture, scale = prepared(frame.image)
        names = [f"{kind}{stride}" for kind in ("cls", "box") for stride in STRIDES]
        found = dict(zip(names, self._net.run(names, {"image": picture}), strict=True))
        boxes, scores, classes = decoded(found, picture.shape[2:], scale, frame.size_wh)
        kept = cv2.dnn.NMSBoxes(
            [[left, top, right - left, bottom - top] for left, top, right, bottom in boxes.tolist()],
            scores.tolist(), LEAST_SCORE, MOST_OVERLAP,
        )  # fmt: skip
        return Detections(detections=[
            Box(xyxy=boxes[at].tolist(), confidence=float(scores[at]), class_id=int(classes[at]),
                class_name=WANTED[int(classes[at])])
            for at in np.array(kept, int).flatten()
        ])  # fmt: skip


def prepared(image):
    """Return the network's input, float32 [1, 3, H, W], and the scale of the picture in it."""
    height, width = image.shape[:2]
    scale = LONG_SIDE_PX / max(height, width)
    small = cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    padded = np.full((*(-(-side // MULTIPLE) * MULTIPLE for side in small.shape[:2]), 3), PADDING, np.uint8)
    padded[: small.shape[0], : small.shape[1]] = small
    return ((padded - MEAN) / SPREAD).transpose(2, 0, 1)[None].astype(np.float32), scale


def decoded(found, size_hw, scale, size_wh):
    """Return boxes (N, 4) in pixels of the frame, scores (N,) and classes (N,) above the least score."""
    boxes, scores, classes = [], [], []
    wanted = np.array(list(WANTED))
    for stride in STRIDES:
        own, bins = found[f"cls{stride}"][0][:, wanted], found[f"box{stride}"][0].reshape(-1, 4, BINS)
        best = own.argmax(axis=1)
        kept = np.flatnonzero(own.max(axis=1) >= LEAST_SCORE)
        row, column = np.divmod(kept, size_hw[1] // stride)
        weights = np.exp(bins[kept] - bins[kept].max(axis=2, keepdims=True))
        reach = (weights @ np.arange(BINS) / weights.sum(axis=2)) * stride
        x, y = (column + 0.5) * stride, (row + 0.5) * stride
        boxes.append(np.stack([x - reach[:, 0], y - reach[:, 1], x + reach[:, 2], y + reach[:, 3]], axis=1))
        scores.append(own.max(axis=1)[kept])
        classes.append(wanted[best[kept]])
    width, height = size_wh
    placed = np.concatenate(boxes) / scale
    placed[:, ::2] = placed[:, ::2].clip(0, width)
    placed[:, 1::2] = placed[:, 1::2].clip(0, height)
    return placed, np.concatenate(scores), np.concatenate(classes)


class NanoDet(Plugin):
    """Vehicles by NanoDet."""

    name = "nanodet"
    version = "0.1.0"
    tools = (Detect,)
