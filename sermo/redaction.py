"""What in a picture may say who the patient is: boxes proposed by the machine, and painted over once a person agrees.

`propose` looks for burned-in text and for faces; it is an aid, and what it misses is for people to see. `burn` paints
solid black on decoded pixels, in every size a picture is shown in, and returns nothing in which a masked pixel differs
from another. Both run in a child process with limits; run as a module, this file is that child.

    frames in:   one JPEG (propose), or the boxes as JSON and then JPEGs (burn)
    frames out:  the boxes as JSON, or three JPEGs for each one sent
"""

import io
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

from sermo import sandbox
from sermo.boxes import Box, covered_share, merge

__all__ = ["SIZES", "Box", "BurningFailed", "ProposalFailed", "burn", "covered_share", "is_masked", "propose"]

SIZES = {"full": 3_000, "screen": 1_600, "thumb": 480}  # pixels of the longer side
QUALITY = 90
GRID = 8  # pixels: a JPEG is coded in blocks of this side, and a block of one color decodes to one color
MOST_BOXES = 40
SECONDS = 20
SECONDS_TO_BURN = 60
MEMORY = 1_600_000_000
LEAST_SIDE = (
    1_400  # pixels: a picture that has as many when halved is looked at halved, which its coding makes cheap
)
BLACK = (0, 0, 0)


class BurningFailed(RuntimeError):
    """No proof came back that all that is masked is of one color, so nothing came back."""


class ProposalFailed(Exception):
    """The machine has nothing to say about a picture, not even that it found nothing: a person must look."""


def propose(jpeg: bytes) -> list[Box]:
    """Boxes where text or a face may be, at most MOST_BOXES, the largest first. Raises ProposalFailed."""
    reader = shutil.which("tesseract") or ""
    try:
        (frame,) = sandbox.run("sermo.redaction", "propose", reader, data=jpeg, seconds=SECONDS)
        return [Box.make(*values) for values in json.loads(frame)]
    except (sandbox.ChildFailed, ValueError) as error:
        raise ProposalFailed(str(error)) from error


def burn(jpegs: Sequence[bytes], boxes: Sequence[Box]) -> list[dict[str, bytes]]:
    """For each JPEG one of every size in SIZES, never enlarged, with the boxes painted over.

    Raises BurningFailed.
    """
    places = json.dumps([astuple(box) for box in boxes]).encode()
    try:
        frames = sandbox.run(
            "sermo.redaction", "burn", data=sandbox.pack([places, *jpegs]), seconds=SECONDS_TO_BURN
        )
    except sandbox.ChildFailed as error:
        raise BurningFailed(error.reason) from error
    if len(frames) != len(jpegs) * len(SIZES):
        raise BurningFailed("sizes are missing")
    drawn = iter(frames)
    return [{size: next(drawn) for size in SIZES} for _ in jpegs]


def is_masked(jpeg: bytes, boxes: Sequence[Box]) -> bool:
    """Whether all decoded pixels under all boxes are of one and the same color."""
    if not boxes:
        return True
    image = _decoded(jpeg)
    colors = {image.crop(box.pixels(image.size, grid=GRID)).getextrema() for box in boxes}
    return len(colors) == 1 and all(least == most for least, most in colors.pop())


# The child


def _propose(data: bytes, reader: str) -> Iterator[bytes]:
    import cv2
    import numpy as np

    from sermo import burned_text, faces

    coded = np.frombuffer(data, np.uint8)
    picture = cv2.imdecode(coded, cv2.IMREAD_REDUCED_COLOR_2 | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is not None and max(picture.shape) < LEAST_SIDE:
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise sandbox.Refused("broken")
    size = (picture.shape[1], picture.shape[0])
    with ThreadPoolExecutor(1) as beside:  # OpenCV lets the other thread go on meanwhile
        heads = beside.submit(faces.find_faces, picture)
        lines = burned_text.find_lines(picture)
        if reader:
            from sermo import reading

            lines = reading.refine(picture, lines, reader)
    found = [
        Box.around(line.left, line.top, line.right, line.bottom, size=size, sort="text") for line in lines
    ]
    found += [Box.around(*face, size=size, sort="face") for face in heads.result()]
    yield json.dumps([astuple(box) for box in merge(found, MOST_BOXES)]).encode()


def _burn(data: bytes) -> Iterator[bytes]:
    places, *jpegs = sandbox.unpack(data)
    boxes = [Box.make(*values) for values in json.loads(places)]
    for jpeg in jpegs:
        yield from _burned(jpeg, boxes)


def _burned(jpeg: bytes, boxes: Sequence[Box]) -> Iterator[bytes]:
    from PIL import Image

    image = _decoded(jpeg)
    for side in SIZES.values():
        scale = min(1, side / max(image.size))
        # Each size is drawn from the one before, in which what is masked is black already: nothing seeps out.
        if scale < 1:
            size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
            image = image.resize(size, Image.Resampling.BOX)
        for box in boxes:
            image.paste(BLACK, box.pixels(image.size, grid=GRID))
        drawn = _encoded(image)
        if not is_masked(drawn, boxes):
            raise sandbox.Refused("not constant")
        yield drawn


def _decoded(jpeg: bytes):
    """Its pixels alone, in a new image: what else the file holds is left behind."""
    from PIL import Image

    opened = Image.open(io.BytesIO(jpeg), formats=["JPEG"])
    image = Image.new("RGB", opened.size)
    image.paste(opened)
    return image


def _encoded(image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return out.getvalue()


def main(what: str, reader: str = "") -> int:
    if what == "burn":
        return sandbox.serve(_burn, memory=MEMORY, seconds=SECONDS_TO_BURN)
    return sandbox.serve(lambda data: _propose(data, reader), memory=MEMORY, seconds=SECONDS)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
