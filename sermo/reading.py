"""What tesseract, where it is installed, reads in a picture, added to the lines told by their shape.

It adds lines and takes none away: letters it cannot read are letters all the same. Meant to run in a child process.
"""

import csv
import subprocess

import cv2
import numpy as np

from sermo.burned_text import SIDE, Line, merge

SURE = 50  # of 100, tesseract's own word for how sure it is
SECONDS = 6  # then the lines stay as they were
ENVIRONMENT = {"OMP_THREAD_LIMIT": "1", "PATH": ""}


def refine(picture: np.ndarray, lines: list[Line], reader: str) -> list[Line]:
    """The lines, and those that the program at `reader` reads besides; the lines alone where it fails or dawdles."""
    height, width = picture.shape[:2]
    scale = min(1, SIDE / max(height, width))
    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    if scale < 1:
        gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, coded = cv2.imencode(".png", gray, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    try:
        done = subprocess.run(  # noqa: S603 - a path found by the site, and words of ours
            [reader, "stdin", "stdout", "--psm", "11", "tsv"],
            input=coded.tobytes(),
            capture_output=True,
            timeout=SECONDS,
            env=ENVIRONMENT,
            check=True,
        )
        words = _words(done.stdout.decode(errors="replace"), scale)
    except (OSError, subprocess.SubprocessError, csv.Error, ValueError, TypeError, KeyError):
        return lines
    return merge([*lines, *(word for word in words if not _lies_within(word, lines))])


def _words(table: str, scale: float) -> list[Line]:
    """Words it is sure of, of two letters or digits at least."""
    words = []
    for entry in csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if float(entry["conf"]) >= SURE and sum(sign.isalnum() for sign in entry["text"] or "") >= 2:
            left, top, width, height = (int(entry[key]) / scale for key in ("left", "top", "width", "height"))
            margin = 0.2 * height
            words.append(Line(left - margin, top - margin, left + width + margin, top + height + margin))
    return words


def _lies_within(word: Line, lines: list[Line]) -> bool:
    return any(
        line.left <= word.left + word.height / 2
        and line.right >= word.right - word.height / 2
        and line.top <= (word.top + word.bottom) / 2 <= line.bottom
        for line in lines
    )
