"""Faces in a picture, by OpenCV's cascades: upright, turned, and from the side.

A photo may lie on its side and a patient in bed, so the cascades look again at turned copies. Meant to run in a child
process, on pictures already decoded. The cascades know little of faces under masks, in parts or in poor light: what
they find is a proposal, and a person looks.
"""

from collections.abc import Iterator
from functools import cache

import cv2
import numpy as np

SIDE = 540  # pixels of the longer side on which upright faces are looked for
EVEN_SIDE = 400  # the same for a copy in which the light is evened
TURNED_SIDE = 320  # the same for turned copies and faces from the side
SMALLEST = 24  # pixels of a face on these
STEP, FINE_STEP = 1.16, 1.1  # from one size of face to the next
QUARTERS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
TILTS = (-37, 37)  # degrees; a cascade forgives some 15 either way, so these reach 22 to 52
HEAD_UP, HEAD_DOWN, HEAD_ASIDE = 0.5, 0.35, 0.3  # of the face as found, added to it for hair, chin and ears
OVERLAP = 0.3  # of the smaller of two faces: more, and they are one

Face = tuple[float, float, float, float]  # left, top, right, bottom


def find_faces(picture: np.ndarray) -> list[Face]:
    """Boxes around whole heads in a picture (blue, green, red), in its own pixels; the largest first."""
    height, width = picture.shape[:2]
    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    found = [*_upright(gray), *_turned(gray), *_from_the_side(gray), *_tilted(gray)]
    return _without_doubles([_within(face, width, height) for face in found])


def _upright(gray) -> Iterator[Face]:
    """Looked for twice, by cascades and in light that differ: what one misses the other mostly sees."""
    as_it_is, scale = _small(gray, SIDE)
    for left, top, right, bottom in _detect("frontalface_default", as_it_is, step=FINE_STEP):
        yield _head(left / scale, top / scale, right / scale, bottom / scale)
    small, scale = _small(gray, EVEN_SIDE)
    even = cv2.createCLAHE(2, (8, 8)).apply(small)
    for left, top, right, bottom in _detect("frontalface_alt2", even, neighbors=2, step=FINE_STEP):
        yield _head(left / scale, top / scale, right / scale, bottom / scale)


def _turned(gray) -> Iterator[Face]:
    small, scale = _small(gray, TURNED_SIDE)
    small = cv2.equalizeHist(small)
    for degrees, rotation in QUARTERS.items():
        copy = cv2.rotate(small, rotation)
        back = cv2.getRotationMatrix2D((0, 0), degrees, 1)
        rows, columns = small.shape
        back[:, 2] = {90: (0, rows), 180: (columns, rows), 270: (columns, 0)}[degrees]
        for face in _detect("frontalface_alt2", copy):
            yield _turned_back(face, back, scale)


def _tilted(gray) -> Iterator[Face]:
    small, scale = _small(gray, TURNED_SIDE)
    small = cv2.equalizeHist(small)
    rows, columns = small.shape
    for degrees in TILTS:
        there = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1)
        across, down = np.abs(there[:, :2]) @ (columns, rows)
        there[:, 2] += ((across - columns) / 2, (down - rows) / 2)
        copy = cv2.warpAffine(small, there, (int(across), int(down)), borderMode=cv2.BORDER_REPLICATE)
        for face in _detect("frontalface_alt2", copy):
            yield _turned_back(face, cv2.invertAffineTransform(there), scale)


def _from_the_side(gray) -> Iterator[Face]:
    small, scale = _small(gray, TURNED_SIDE)
    small = cv2.equalizeHist(small)
    columns = small.shape[1]
    for left, top, right, bottom in _detect("profileface", small, neighbors=5):
        yield _head(left / scale, top / scale, right / scale, bottom / scale)
    for left, top, right, bottom in _detect("profileface", cv2.flip(small, 1), neighbors=5):
        yield _head((columns - right) / scale, top / scale, (columns - left) / scale, bottom / scale)


def _small(gray, side):
    """A copy, its longer side at most `side`, and its scale."""
    scale = min(1, side / max(gray.shape))
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    small = gray if scale == 1 else cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    return small, scale


@cache
def _cascade(name):
    cascade = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_{name}.xml")
    if cascade.empty():
        raise RuntimeError(f"no cascade {name}")
    return cascade


def _detect(name, gray, neighbors=3, step=STEP) -> Iterator[Face]:
    faces = _cascade(name).detectMultiScale(gray, step, neighbors, minSize=(SMALLEST, SMALLEST))
    for left, top, width, height in faces:
        yield float(left), float(top), float(left + width), float(top + height)


def _head(left, top, right, bottom) -> Face:
    """The whole head around an upright face."""
    width, height = right - left, bottom - top
    return (
        left - HEAD_ASIDE * width,
        top - HEAD_UP * height,
        right + HEAD_ASIDE * width,
        bottom + HEAD_DOWN * height,
    )


def _turned_back(face, back, scale) -> Face:
    """The box, on the upright picture, of a head found on a turned copy."""
    left, top, right, bottom = _head(*face)
    corners = (
        np.array([(left, top, 1), (right, top, 1), (left, bottom, 1), (right, bottom, 1)]) @ back.T / scale
    )
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def _within(face, width, height) -> Face:
    left, top, right, bottom = face
    return max(0.0, left), max(0.0, top), min(float(width), right), min(float(height), bottom)


def _without_doubles(faces: list[Face]) -> list[Face]:
    """Faces that overlap are one: the box around both, or the first where it already has the middle of the other.

    Boxes of tilted copies are wide, so they come last: they add faces rather than room around them.
    """
    kept: list[Face] = []
    for face in faces:
        for place, other in enumerate(kept):
            if _shared(face, other) > OVERLAP * min(_area(face), _area(other)):
                if not (_has_middle(other, face) and _area(other) > OVERLAP * _area(face)):
                    kept[place] = (
                        min(face[0], other[0]),
                        min(face[1], other[1]),
                        max(face[2], other[2]),
                        max(face[3], other[3]),
                    )
                break
        else:
            kept.append(face)
    return sorted(kept, key=_area, reverse=True)


def _has_middle(one: Face, other: Face) -> bool:
    across, down = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return one[0] <= across <= one[2] and one[1] <= down <= one[3]


def _area(face) -> float:
    return max(0.0, face[2] - face[0]) * max(0.0, face[3] - face[1])


def _shared(one, other) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, down)
