"""Tracks objects from frame to frame: boxes in, ids out. The ids belong to this tracker alone and start at 1.

SORT's frame (expect, pair by overlap, count hits and misses) with ByteTrack's order (tracks with an id choose first)
and DIoU in place of IoU, because small things that move far between two frames do not overlap with themselves. Added
for motion, which sees two objects that touch as one: such a box moves no track.

Own code after a look at the libraries: trackers 2.6 is alive and good, but asks for opencv-python, which overwrites
the headless one, and imports a thousand modules in half a second, again for each job; norfair 2.3 refuses NumPy 2 and
counts ids in a class, so that jobs of one process would share them; bytetracker 0.3 pins torch 1.13 and counts ids in
a class; supervision has given its tracker away to trackers.

Sources: A. Bewley et al., "Simple online and realtime tracking", ICIP 2016; Y. Zhang et al., "ByteTrack: multi-object
tracking by associating every detection box", ECCV 2022; Z. Zheng et al., "Distance-IoU loss", AAAI 2020.
"""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .assignment import Costs, cheapest_pairs
from .options import TrackOptions
from .track import BoxXYXY, Track

Boxes = NDArray[np.float64]
"""Left, top, right, bottom of each box in pixels; shape (n, 4)."""

_OVERLAP = 0.3
"""IoU from which two boxes may be the same object however far apart their centres are (SORT's value)."""

_REFUSED = 2.0
"""Cost of a pair that may not be; the largest that 1 - DIoU can reach, so that one good pair beats two bad ones."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An object in one frame.

    Attributes:
        track_id: the object's id.
        xyxy: its box: the one found, or the expected one while it shares a found box with another object.
        confidence: how settled the track is, 0 to 1.
    """

    track_id: int
    xyxy: tuple[float, float, float, float]
    confidence: float


class Tracker:
    """The tracks of one job.

    Args:
        options: the job's options.
        size_wh: width and height of the frames in pixels.
    """

    def __init__(self, options: TrackOptions, size_wh: tuple[int, int]) -> None:
        self._options = options
        self._size_wh = size_wh
        self._reach_px = options.match_distance * size_wh[0]
        self._tracks: list[Track] = []
        self._next_id = 1

    def update(self, boxes: Boxes) -> list[Sighting]:
        """Take in the boxes of the next frame.

        Args:
            boxes: the boxes found, shape (n, 4), n may be 0.

        Returns:
            The objects that have an id and are in sight, by id.
        """
        for track in self._tracks:
            track.advance()
        found = self._recognised(boxes)
        together = self._together(boxes, found)
        for at, track in found.items():
            track.found(boxes[at])
        for track in set(self._tracks).difference(found.values()):
            track.coast(is_hidden=track not in together)
        self._tracks = [track for track in self._tracks if track in together or self._is_alive(track)]
        for at in sorted(set(range(len(boxes))).difference(found, together.values())):
            found[at] = Track.start(boxes[at])
            self._tracks.append(found[at])
        self._give_ids()
        seen = [_sighting(track, boxes[at]) for at, track in found.items() if track.is_settled]
        seen += [_sighting(track, _part(boxes[at], track.expected_xyxy)) for track, at in together.items()]
        return sorted(seen, key=lambda each: each.track_id)

    def snapshot(self) -> bytes:
        """Return the whole state after the last frame, as JSON."""
        return json.dumps({"next_id": self._next_id, "tracks": [track.as_json() for track in self._tracks]}).encode()

    def restore(self, state: bytes) -> None:
        """Continue from a state that `snapshot` returned."""
        plain = json.loads(state)
        self._next_id = plain["next_id"]
        self._tracks = [Track.from_json(each) for each in plain["tracks"]]

    def _recognised(self, boxes: Boxes) -> dict[int, Track]:
        """Match boxes with tracks. Tracks with an id choose before those without."""
        found: dict[int, Track] = {}
        for has_id in (True, False):
            tracks = [track for track in self._tracks if track.is_settled == has_id]
            free = [at for at in range(len(boxes)) if at not in found]
            expected = np.array([track.expected_xyxy for track in tracks]).reshape(-1, 4)
            costs = mismatches(expected, boxes[free], reach_px=self._reach_px)
            for row, column in cheapest_pairs(costs):
                if costs[row, column] < _REFUSED:
                    found[free[column]] = tracks[row]
        return found

    def _together(self, boxes: Boxes, found: dict[int, Track]) -> dict[Track, int]:
        """Return which tracks share a box because their objects touch, and remove them from `found`.

        Such a box is the position of neither, and learning from it would let them swap ids when they separate: they
        continue to move as before. That ends once a track has been hidden for longer than it was ever found.
        """
        together: dict[Track, int] = {}
        for track in self._tracks:
            if not track.is_settled or track in found.values() or track.hits * 2 < track.age:
                continue
            for at, other in list(found.items()):
                if other.is_settled and _holds(boxes[at], track) and _holds(boxes[at], other):
                    together |= {track: at, other: at}
        for at in set(together.values()):
            del found[at]
        return together

    def _is_alive(self, track: Track) -> bool:
        if track.missed == 0:
            return True
        left, top, right, bottom = track.expected_xyxy
        is_inside = 0 <= left + right <= 2 * self._size_wh[0] and 0 <= top + bottom <= 2 * self._size_wh[1]
        return track.is_settled and track.missed <= self._options.max_age and is_inside

    def _give_ids(self) -> None:
        for track in self._tracks:
            if not track.is_settled and track.hits >= self._options.min_hits:
                track.track_id = self._next_id
                self._next_id += 1


def _sighting(track: Track, box: BoxXYXY) -> Sighting:
    left, top, right, bottom = box.tolist()
    return Sighting(track.track_id, (left, top, right, bottom), track.confidence)


def _holds(box: BoxXYXY, track: Track) -> bool:
    """Whether the middle of the object is expected in the box."""
    expected = track.expected_xyxy
    middle = (expected[:2] + expected[2:]) / 2
    return bool((box[:2] <= middle).all() and (middle <= box[2:]).all())


def _part(box: BoxXYXY, other: BoxXYXY) -> BoxXYXY:
    return np.concatenate([np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])])


def mismatches(expected: Boxes, found: Boxes, *, reach_px: float) -> Costs:
    """Return how badly each found box matches the expected box of each track: 1 - DIoU.

    DIoU is the intersection over the union, less the squared distance of the centres over the squared diagonal of the
    smallest box around both.

    Args:
        expected: shape (tracks, 4), at least one pixel wide and high.
        found: shape (boxes, 4).
        reach_px: pairs whose centres are further apart are refused, unless they overlap well.

    Returns:
        Shape (tracks, boxes): 0 for the same box, towards 2 for far ones, exactly 2 for what is refused.
    """
    a, b = expected[:, np.newaxis], found[np.newaxis]
    shared = (np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])).clip(0).prod(axis=2)
    areas = (a[..., 2:] - a[..., :2]).prod(axis=2) + (b[..., 2:] - b[..., :2]).prod(axis=2)
    overlap = shared / (areas - shared)
    away = np.square((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2).sum(axis=2)
    span = np.square(np.maximum(a[..., 2:], b[..., 2:]) - np.minimum(a[..., :2], b[..., :2])).sum(axis=2)
    may_be = (overlap >= _OVERLAP) | (away <= reach_px**2)
    return np.where(may_be, 1 - overlap + away / span, _REFUSED)
