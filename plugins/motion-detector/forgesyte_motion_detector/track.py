"""One object's track: where its box is expected, and how often it was found."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

BoxXYXY = NDArray[np.float64]
"""Left, top, right, bottom in pixels; shape (4,)."""

# Variances in units of a found edge's own variance: as all edges share them, so they do the covariance, and its size
# in pixels never matters.
_FOUND = 1.0
_FIRST_SPEED = 100.0  # nothing is known of a new object's speed: its second sighting sets it
_SPEED_CHANGE = 0.05  # per frame; a car brakes softly, and a box edge is found only to a pixel of the working size

_ONE_FRAME_ON = np.array([[1.0, 1.0], [0.0, 1.0]])
_UNREST = _SPEED_CHANGE * np.array([[0.25, 0.5], [0.5, 1.0]])


@dataclass(slots=True, eq=False)
class Track:
    """A box whose four edges each move at a constant speed, corrected by the sightings.

    It has one Kalman filter per edge instead of one for centre, area and aspect: while an object enters or leaves the
    frame, one edge of its box stands still at the border and the other moves.
    Source: A. Bewley, Z. Ge, L. Ott, F. Ramos, B. Upcroft, "Simple online and realtime tracking", ICIP 2016; white
    noise acceleration model of Y. Bar-Shalom, X. R. Li, T. Kirubarajan, "Estimation with applications to tracking and
    navigation" (2001), section 6.3.2.

    Attributes:
        motion: places (pixels) and speeds (pixels per frame) of the edges, shape (2, 4).
        covariance: of place and speed, the same for each edge, shape (2, 2); in variances of a found edge.
        track_id: the id, from 1; 0 until the track is confirmed.
        hits: frames in which the object was found.
        age: frames since it was first found, that one included.
        missed: frames in which it was hidden since it was last found.
    """

    motion: NDArray[np.float64]
    covariance: NDArray[np.float64]
    track_id: int = 0
    hits: int = 1
    age: int = 1
    missed: int = 0

    @classmethod
    def start(cls, box: BoxXYXY) -> Self:
        """Begin with a first sighting, at rest."""
        return cls(np.array([box, np.zeros(4)]), np.diag([_FOUND, _FIRST_SPEED]))

    @property
    def expected_xyxy(self) -> BoxXYXY:
        """Where the box should be now; at least one pixel wide and high."""
        near, far = self.motion[0, :2], self.motion[0, 2:]
        return np.concatenate([near, np.maximum(far, near + 1)])

    @property
    def is_settled(self) -> bool:
        """Whether it has an id."""
        return self.track_id > 0

    @property
    def confidence(self) -> float:
        """How likely the next frame finds it again, 0 to 1, by Laplace's rule of succession."""
        return (self.hits + 1) / (self.age + 2)

    def advance(self) -> None:
        """Advance by one frame; `found` or `coast` follows."""
        self.motion = _ONE_FRAME_ON @ self.motion
        self.covariance = _ONE_FRAME_ON @ self.covariance @ _ONE_FRAME_ON.T + _UNREST
        self.age += 1

    def found(self, box: BoxXYXY) -> None:
        """Take in a sighting in this frame."""
        gain = self.covariance[:, 0] / (self.covariance[0, 0] + _FOUND)
        self.motion = self.motion + np.outer(gain, box - self.motion[0])
        self.covariance = self.covariance - np.outer(gain, self.covariance[0])
        self.hits += 1
        self.missed = 0

    def coast(self, *, is_hidden: bool) -> None:
        """Continue without a sighting of its own: keep the size, and the speed of the centre.

        Args:
            is_hidden: nothing is there; else it is in sight, but not apart from another object.
        """
        self.motion[1] = np.tile((self.motion[1, :2] + self.motion[1, 2:]) / 2, 2)
        self.missed += is_hidden

    def as_json(self) -> dict[str, Any]:
        """Return the whole state in plain values."""
        plain = {name: getattr(self, name) for name in ("track_id", "hits", "age", "missed")}
        return {**plain, "motion": self.motion.tolist(), "covariance": self.covariance.tolist()}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Return the track that `as_json` described."""
        return cls(**{**state, "motion": np.array(state["motion"]), "covariance": np.array(state["covariance"])})
