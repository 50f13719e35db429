"""Lines of burned-in text: where letters may stand in a picture, told by their shape alone.

Letters are thin, of one height, and stand in a row with quiet above and below it. So: what is thin (a top-hat for light
strokes, a black-hat for dark ones), at several scales; the pieces of it that have the size of a letter; the rows that
such pieces form; and of these the rows that a grid, a ruler, hair or speckle would not form.
Meant to run in a child process, on pictures already decoded.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 1_600  # pixels of the longer side on which lines are looked for
SMALL_SIDE = 900  # a picture smaller than this is looked at twice as large
LEVELS = 3  # each half as large as the one before
LEAST = 16  # pixels of the shorter side: a strip may hold one line and nothing else
LOWEST, TALLEST = 6, 26  # pixels, of a letter, on each level
WIDEST = 14  # heights, of small letters that run into one another
WIDEST_LARGE = 5  # heights, of larger ones: a trace or a contour is longer
THIN = 9  # pixels: what is thinner than this is a stroke
FAINTEST = 10  # levels of gray by which a stroke differs at the least from what is around it
FAINTEST_LARGE = 15  # the same where the picture is looked at smaller, which makes no stroke paler
BLOCK = 32  # pixels: clutter is measured in blocks of this side
CLUTTER = 4.5  # a stroke stands out from clutter by this factor
FEWER = 0.8  # of the ink, or the stronger strokes are not looked at by themselves
STRONG = 0.5  # of the strongest strokes near, where fainter ones are left out
APART = 0.35  # of its difference from its neighbors, by which a stroke differs from what is usual around
COLORED = 12  # levels of gray between the channels that make a picture one in color
SHORTEST = 1.4  # heights, of a line
MOST_PIECES = 6_000
LONG = 4 * TALLEST  # pixels: no letter is
RUN = 33  # pixels that a trace runs straight, at the least
CROSSED = 9  # pixels: a thicker trace cuts letters in two
MOST_TRACES = 0.1  # of the picture
WEAK = 6.2  # strokes: a shorter line may be anything
MOST_SCATTERED = 5  # such lines alone, on a picture with writing


@dataclass(frozen=True)
class Line:
    """One line of text in pixels of the picture that was given."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True)
class Row:
    """Pieces of strokes side by side, and what tells writing from anything else."""

    left: float
    top: float
    right: float
    bottom: float
    level: int
    pieces: int
    length: float  # in heights of the typical piece, as is
    depth: float
    fill: float  # share of the pieces' boxes that is ink
    cover: float  # share of the length that has pieces
    loudness: float  # strokes above and below, as a share of those within
    unevenness: float  # how far heads or feet are off a line, in heights
    bars: float  # share of the pieces that are one upright stroke
    strokes: float  # that a level line through the middle crosses
    strength: float  # levels of gray


def find_lines(picture: np.ndarray) -> list[Line]:
    """The lines of text in a picture (blue, green, red), each with a small margin."""
    height, width = picture.shape[:2]
    scale = _scale(max(height, width))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized = picture if scale == 1 else cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)
    found: list[tuple[Line, bool]] = []
    for plane in _planes(sized):
        factor = scale
        for level in range(LEVELS):
            if level:
                plane = cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
                factor /= 2
            if min(plane.shape) < LEAST:
                break
            found += [
                (
                    Line(row.left / factor, row.top / factor, row.right / factor, row.bottom / factor),
                    row.strokes < WEAK,
                )
                for row in _rows(plane, level)
                if _is_text(row)
            ]
    return [_with_margin(line, width, height) for line in merge(_without_scatter(found))]


def _without_scatter(found: list[tuple[Line, bool]]) -> list[Line]:
    """All but the short ones where there are many that stand alone: stars and gravel, not writing."""
    lines = merge([line for line, is_weak in found if not is_weak])
    weak = merge([line for line, is_weak in found if is_weak])
    scattered = [line for line in weak if not any(_are_level(line, other) for other in lines)]
    if len(scattered) <= MOST_SCATTERED:
        return lines + weak
    return lines + [line for line in weak if line not in scattered]


def _are_level(one: Line, other: Line) -> bool:
    """Whether they overlap or could be columns of one line in a table."""
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    low, high = sorted((one.height, other.height))
    return _belong_together(one, other) or (down > 0.6 * low and high < 1.6 * low)


def _scale(side: int) -> float:
    if side > SIDE:
        return SIDE / side
    return 2 if side < SMALL_SIDE else 1


def _planes(picture):
    """The planes on which strokes show: one, or, of a colored picture, each pixel's brightest and darkest channel.

    White on red differs in the darkest channel alone; black on a red grid, in the brightest alone.
    """
    blue, green, red = cv2.split(picture)
    brightest = cv2.max(cv2.max(blue, green), red)
    darkest = cv2.min(cv2.min(blue, green), red)
    if np.count_nonzero(cv2.subtract(brightest, darkest)[::4, ::4] > COLORED) < brightest.size / 16 / 2000:
        return [green]
    return [brightest, darkest]


def _without_noise(plane):
    """The plane, smoothed where the typical difference between neighbors shows that it is noisy."""
    sample = plane[::2].astype(np.int16)
    grain = np.abs(
        2 * sample[:, 1:-1:3] - sample[:, :-2:3] - sample[:, 2::3][:, : sample[:, 1:-1:3].shape[1]]
    )
    if np.median(grain) > 4:
        return cv2.GaussianBlur(plane, (3, 3), 0)
    return plane


def _surroundings(plane):
    """What is usual around each pixel: the median, so that letters do not count."""
    small = cv2.resize(plane, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_NEAREST)
    return cv2.resize(cv2.medianBlur(small, 15), plane.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _rows(plane, level: int) -> Iterator[Row]:
    """Pieces of strokes that stand in a row, light ones and dark ones."""
    smooth = _without_noise(plane)
    usual = _surroundings(smooth)
    square = np.ones((THIN, THIN), np.uint8)
    light = cv2.morphologyEx(smooth, cv2.MORPH_TOPHAT, square), cv2.subtract(smooth, usual)
    dark = cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, square), cv2.subtract(usual, smooth)
    for strokes, apart in (light, dark):
        for ink in _inks(strokes, apart, FAINTEST_LARGE if level else FAINTEST):
            pieces, traces = _pieces(ink, WIDEST_LARGE if level else WIDEST)
            if traces is not None:
                ink = cv2.subtract(ink, traces)
                pieces, _ = _pieces(ink, WIDEST_LARGE if level else WIDEST)
                strokes = cv2.subtract(strokes, traces)
            if not len(pieces):
                continue
            left, top, width, height = pieces[:, :4].T
            loud, crossed = _loudness(pieces, strokes), _crossings(pieces, ink)
            strength, _ = _sums(cv2.integral(cv2.min(strokes, ink)), left, top, left + width, top + height)
            for members in _neighbors(pieces, strokes.shape):
                if _length(pieces[members]) >= SHORTEST:
                    yield _row(pieces[members], loud[members], crossed[members], strength[members], level)


def _neighbors(pieces, shape):
    """The places of the pieces, row by row: those stand in one whose bands touch, once drawn out to both sides."""
    bands = np.zeros(shape, np.uint8)
    reach = (0.6 * pieces[:, 3]).astype(int) + 1
    corners = np.stack(
        [
            pieces[:, 0] - reach,
            pieces[:, 1] + pieces[:, 3] // 4,
            pieces[:, 0] + pieces[:, 2] + reach,
            pieces[:, 1] + pieces[:, 3] - 1 - pieces[:, 3] // 4,
        ],
        axis=1,
    )
    for left, top, right, bottom in corners.tolist():
        cv2.rectangle(bands, (left, top), (right, bottom), 255, -1)
    _, labels = cv2.connectedComponents(bands, ltype=cv2.CV_32S)
    row_of = labels[pieces[:, 1] + pieces[:, 3] // 2, pieces[:, 0] + pieces[:, 2] // 2]
    order = np.argsort(row_of, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(row_of[order])) + 1)


def _sums(total, left, top, right, bottom):
    """Sums over rectangles of what an integral image was made of, and their areas."""
    rows, columns = total.shape
    left, right = np.clip(left, 0, columns - 1), np.clip(right, 0, columns - 1)
    top, bottom = np.clip(top, 0, rows - 1), np.clip(bottom, 0, rows - 1)
    sums = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    return sums.astype(np.float64), (right - left) * (bottom - top)


def _loudness(pieces, strokes):
    """How strong the strokes are above and below each piece, as a share of how strong they are within it."""
    left, top, width, height = pieces[:, :4].T
    right, bottom = left + width, top + height
    reach = np.maximum(2, height * 3 // 10)
    total = cv2.integral(strokes)
    inside, area = _sums(total, left, top, right, bottom)
    above, area_above = _sums(total, left, top - 1 - reach, right, top - 1)
    below, area_below = _sums(total, left, bottom + 1, right, bottom + 1 + reach)
    return (above + below) / np.maximum(1, area_above + area_below) / np.maximum(1e-6, inside / area)


def _crossings(pieces, ink):
    """How many strokes a level line through the middle of each piece crosses."""
    begins = np.zeros_like(ink)
    begins[:, 1:] = (ink[:, 1:] > 0) & (ink[:, :-1] == 0)
    begins[:, 0] = ink[:, 0] > 0
    left, top, width, height = pieces[:, :4].T
    upper, lower = top + height // 3, top + height - height // 3
    sums, _ = _sums(cv2.integral(begins), left, upper, left + width, lower)
    return sums / (lower - upper)


def _length(pieces) -> float:
    """From the start of the first to the end of the last, in heights of the typical piece."""
    typical = np.sort(pieces[:, 3])[len(pieces) // 2]
    return float(((pieces[:, 0] + pieces[:, 2]).max() - pieces[:, 0].min()) / typical)


def _row(pieces, loud, crossed, strength, level) -> Row:
    left, top, width, height, area = pieces.T.astype(np.float64)
    right, bottom = left + width, top + height
    first, last, upper, lower = left.min(), right.max(), top.min(), bottom.max()
    typical = float(np.sort(height)[len(height) // 2])
    boxes = width * height
    uneven = 0.0
    if len(pieces) >= 3:
        middle = (left + right) / 2
        uneven = min(_unevenness(middle, bottom), _unevenness(middle, top)) / typical
    return Row(
        left=float(first),
        top=float(upper),
        right=float(last),
        bottom=float(lower),
        level=level,
        pieces=len(pieces),
        length=float(last - first) / typical,
        depth=float(lower - upper) / typical,
        fill=float(area.sum() / boxes.sum()),
        cover=float(width.sum() / (last - first)),
        loudness=float((loud * boxes).sum() / boxes.sum()),
        unevenness=uneven,
        bars=float(np.mean((width < 0.45 * height) & (area > 0.5 * boxes) & (crossed < 1.2))),
        strokes=float(crossed.sum()),
        strength=float(strength.sum() / area.sum()),
    )


def _unevenness(across, values) -> float:
    """How far the values typically lie off a straight line."""
    spread = across - across.mean()
    slope = (spread * values).sum() / max(1e-6, (spread * spread).sum())
    rest = values - slope * spread
    rest -= np.sort(rest)[len(rest) // 2]
    return float(np.sort(np.abs(rest))[len(rest) // 2])


def _is_text(row: Row) -> bool:
    """Whether a row is one that writing forms, and a grid, a ruler, a trace, hair or speckle seldom do."""
    clear = row.loudness < 0.15 and row.strength > 25
    dense = row.strokes / row.length
    if row.strokes < WEAK and not _is_short_text(row):
        return False
    return (
        row.loudness < 0.4
        and row.cover > 0.5
        and row.strokes >= (3 if clear else 4)
        and (0.75 if row.level else 0.6) < dense < 4
        and row.fill < 0.9
        and row.unevenness < 0.12
        and row.depth < 1.8 + 0.13 * row.length  # letters of one size, tilted by a few degrees
        and row.bars < 0.75
        and not (row.bars > 0.4 and row.cover < 0.6)  # the ticks of a ruler
    )


def _is_short_text(row: Row) -> bool:
    """Of a few letters more is asked: stretches of a trace and corners of a grid are thin, pale or among strokes."""
    thin = 0.36 if row.level else 0.42 if row.pieces == 1 else 0.3
    return row.fill > thin and row.loudness < 0.3 and row.strength > 20


def _inks(strokes, apart, faintest):
    """Strokes that stand out from the clutter around them, as 0 and 255; then only the strongest hereabouts."""
    rows, columns = strokes.shape
    down, across = max(1, rows // BLOCK), max(1, columns // BLOCK)
    blocks = cv2.resize(strokes, (across * BLOCK // 2, down * BLOCK // 2), interpolation=cv2.INTER_NEAREST)
    blocks = blocks.reshape(down, BLOCK // 2, across, BLOCK // 2).swapaxes(1, 2).reshape(down, across, -1)
    count = blocks.shape[2]
    blocks = np.partition(blocks, (count // 2, count * 19 // 20), axis=2)
    clutter = cv2.blur(blocks[:, :, count // 2].astype(np.float32) + 0.5, (3, 3)) * CLUTTER
    strong = cv2.dilate(blocks[:, :, count * 19 // 20], np.ones((3, 3), np.uint8)).astype(np.float32) * STRONG
    clutter, strong = (
        cv2.resize(np.minimum(level, 255).astype(np.uint8), (columns, rows), interpolation=cv2.INTER_LINEAR)
        for level in (clutter, strong)
    )
    # What lies between two dark strokes is light beside them, but no lighter than the rest: no light stroke.
    apart = cv2.compare(apart, cv2.max(cv2.convertScaleAbs(strokes, alpha=APART), faintest // 2), cv2.CMP_GT)
    ink = cv2.compare(strokes, cv2.max(clutter, faintest), cv2.CMP_GT) & apart
    yield ink
    fewer = cv2.compare(strokes, strong, cv2.CMP_GT) & ink
    if np.count_nonzero(fewer) < FEWER * np.count_nonzero(ink):
        yield fewer


def _pieces(ink, widest):
    """Pieces of ink of the size of letters: an array of left, top, width, height, area; and the traces between them."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
    pieces = stats[1:]
    width, height, area = pieces[:, 2], pieces[:, 3], pieces[:, 4]
    fill = area / (width * height)
    fit = (
        (height >= LOWEST)
        & (height <= TALLEST)
        & (width <= widest * height)
        & (fill > np.where(width > 2.5 * height, 0.28, 0.12))
        & (area >= 5)
    )
    long = np.flatnonzero(np.maximum(width, height) > LONG)
    traces = _traces(ink, labels, long + 1, len(stats)) if len(long) else None
    pieces = pieces[fit]
    return pieces[np.argsort(-pieces[:, 4])[:MOST_PIECES]], traces


def _traces(ink, labels, long, count):
    """What of the long pieces runs level or upright: rules and the traces of an EKG, which letters may touch."""
    is_long = np.zeros(count, np.uint8)
    is_long[long] = 255
    masses = is_long[labels]
    runs = []
    for across in (True, False):
        along = np.ones((1, RUN) if across else (RUN, 1), np.uint8)
        aside = np.ones((3, 1) if across else (1, 3), np.uint8)
        run = cv2.morphologyEx(cv2.morphologyEx(masses, cv2.MORPH_CLOSE, aside), cv2.MORPH_OPEN, along)
        runs.append(cv2.dilate(run, aside))
    level, upright = runs
    if np.count_nonzero(level | upright) > MOST_TRACES * ink.size:  # a grid
        return None
    rest = cv2.subtract(ink, level | upright)
    # A stroke that crosses goes on at the other side: there, it stays whole.
    through = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((CROSSED, 1), np.uint8)) & level
    through |= cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((1, CROSSED), np.uint8)) & upright
    return cv2.subtract(level | upright, through)


def merge(lines: list[Line]) -> list[Line]:
    """The same with those drawn together that overlap or follow one another in one line."""
    lines = sorted(lines, key=lambda line: -line.width * line.height)
    joined = True
    while joined:
        joined = False
        kept: list[Line] = []
        for line in lines:
            for place, other in enumerate(kept):
                if _belong_together(line, other):
                    kept[place] = Line(
                        min(line.left, other.left),
                        min(line.top, other.top),
                        max(line.right, other.right),
                        max(line.bottom, other.bottom),
                    )
                    joined = True
                    break
            else:
                kept.append(line)
        lines = kept
    return lines


def _belong_together(one: Line, other: Line) -> bool:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    low, high = sorted((one.height, other.height))
    if (
        across > 0
        and down > 0
        and across * down > 0.4 * min(one.width * one.height, other.width * other.height)
    ):
        return True
    return down > 0.6 * low and high < 2 * low and across > -1.2 * high


def _with_margin(line, width, height):
    margin = max(3, 0.2 * min(line.height, line.width))
    return Line(
        max(0, line.left - margin),
        max(0, line.top - margin),
        min(width, line.right + margin),
        min(height, line.bottom + margin),
    )
