"""Pictures with burned-in lines and photos with faces, drawn by code, for the tests of `sermo.redaction`.

The limits in `sermo.burned_text` were set on pictures drawn by this code with other seeds, and on such of other code
and fonts: flat, gradient, noise, skin, X-ray and EKG. CT, ultrasound and lab page were drawn for the tests alone.
About one line in seven is a hard one: it runs across an EKG's trace or a rule, or fades from one end to the other.
Faces are no unseen ones: the limits in `sermo.faces` were set on the same hundred crops, pasted into other scenes.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

TUNED = ("flat", "gradient", "noise", "skin", "x-ray", "ekg")
UNSEEN = ("ct", "ultrasound", "lab page")
HERSHEY = (cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX_SMALL, cv2.FONT_HERSHEY_SIMPLEX)
PARTS = (
    "GARCIA, MARIA",
    "MRN 00482-7719",
    "DOB 07/31/1948",
    "St. Luke's Medical Center",
    "Acc 20240115-003",
    "W. Okonkwo MD",
    "06-Feb-2019 08:41",
    "Study 4 Series 2",
    "TIS 0.4 MI 1.1",
    "78 yr Female",
    "Bed 12",
    "25 mm/s 10 mm/mV",
    "Ref 5531",
)
COLORS = ((255, 230, 0), (0, 230, 80), (90, 210, 255), (255, 80, 80), (150, 0, 0), (0, 0, 150), (0, 90, 40))
LEAST_CONTRAST = 1.6
FADED_CONTRAST = 1.3  # at the far end of a line that fades
ACROSS, FADING = 0.35, 0.14  # of the lines, where there are traces or rules and where not
NEAR, ON = 1, 2  # a trace or a rule


@dataclass(frozen=True)
class Stamped:
    """A line as it was burned in: where it stands, as a mask over the picture."""

    text: str
    height: int
    style: str
    trouble: str  # "" for most; "across" a trace or a rule; "fading" from full contrast to little
    place: np.ndarray


def picture(seed: int, family: str, *, lines: int) -> tuple[np.ndarray, list[Stamped]]:
    """A picture (red, green, blue) as a JPEG would have it, and the lines burned into it."""
    chance = np.random.default_rng([seed, (TUNED + UNSEEN).index(family)])
    columns = int(chance.integers(920, 1181))
    rows = int(columns * chance.choice([0.75, 0.8, 1.0]))
    pixels, taken, rules = BACKGROUNDS[family](rows, columns, chance)
    stamped = []
    for _ in range(lines):
        stamped += _stamp(pixels, taken, rules, chance)
    return as_jpeg(pixels), stamped


def as_jpeg(pixels: np.ndarray) -> np.ndarray:
    _, coded = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)[:, :, ::-1]


# Backgrounds: pixels; where nothing is stamped; and where only a line across a trace or a rule is


def _grown(chance, rows, columns, sigma):
    """Smooth noise of deviation 1."""
    grain = max(1, int(sigma / 3))
    small = chance.normal(size=(rows // grain + 2, columns // grain + 2)).astype(np.float32)
    smooth = cv2.GaussianBlur(small, (0, 0), sigma / grain)
    return cv2.resize(smooth / smooth.std(), (columns, rows), interpolation=cv2.INTER_CUBIC)


def _finish(values):
    pixels = np.clip(values, 0, 255).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    return (
        np.ascontiguousarray(pixels),
        np.zeros(pixels.shape[:2], bool),
        np.zeros(pixels.shape[:2], np.uint8),
    )


def _flat(rows, columns, chance):
    return _finish(np.full((rows, columns, 3), chance.integers(0, 256, 3), np.float32))


def _gradient(rows, columns, chance):
    one, other = chance.integers(0, 256, (2, 3))
    share = np.hypot(*np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows)))[:, :, None] / 1.42
    return _finish(one + (other - one) * share)


def _noise(rows, columns, chance):
    return _finish(chance.uniform(30, 220) + chance.normal(0, chance.uniform(3, 12), (rows, columns)))


def _skin(rows, columns, chance):
    tone = np.array(chance.choice([(226, 178, 152), (188, 134, 104), (122, 82, 60)]), np.float32)
    relief = 9 * _grown(chance, rows, columns, 60) + 5 * _grown(chance, rows, columns, 9)
    relief += 3 * _grown(chance, rows, columns, 2)
    pixels, taken, rules = _finish(tone + relief[:, :, None])
    for _ in range(int(chance.integers(5, 40))):  # hair
        start = chance.uniform(0, 1, 2) * (columns, rows)
        bow = chance.normal(0, 40, (2, 2))
        time = np.linspace(0, 1, 20)[:, None]
        course = (start + bow[0] * 2 * time + bow[1] * time * time).astype(np.int32)
        cv2.polylines(pixels, [course], False, (48, 34, 28), int(chance.integers(1, 3)), cv2.LINE_AA)
    if chance.random() < 0.5:  # a ruler without numbers
        edge = rows - 60
        pixels[edge:] = (235, 235, 228)
        for tick, across in enumerate(range(10, columns, 11)):
            depth = 36 if tick % 10 == 0 else 18
            pixels[edge : edge + depth, across : across + 2] = 20
        taken[edge:] = True
    return pixels, taken, rules


def _x_ray(rows, columns, chance):
    across, down = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows))
    body = 140 * np.clip(1.6 - 1.5 * across**2 - 0.9 * down**4, 0, 1)
    for side in (-1, 1):
        body -= 80 * np.exp(-(((across - side * 0.45) / 0.28) ** 4) - ((down + 0.1) / 0.65) ** 4)
    for rib in np.linspace(-0.75, 0.5, 9):
        bent = rib + 0.35 * across**2
        body += 22 * np.exp(-(((down - bent) / 0.03) ** 2)) * (np.abs(across) > 0.08)
    body += 55 * np.exp(-((across / 0.07) ** 2)) * (1 + 0.15 * np.sin(down * 40))
    body += chance.uniform(1, 4) * _grown(chance, rows, columns, 1.2)
    return _finish(body + 12)


def _ekg(rows, columns, chance):
    pixels, taken, rules = _finish(np.full((rows, columns, 3), (255, 247, 244), np.float32))
    step = int(chance.integers(7, 12))
    for every, color in ((step, (250, 214, 214)), (5 * step, (240, 160, 165))):
        pixels[::every] = color
        pixels[:, ::every] = color
    time = np.arange(columns)
    for lead in np.linspace(0.35, 0.9, int(chance.integers(2, 5))):
        beat = (time / chance.uniform(150, 260) + chance.random()) % 1
        course = 0.12 * np.exp(-(((beat - 0.2) / 0.04) ** 2)) + 0.25 * np.exp(-(((beat - 0.65) / 0.06) ** 2))
        course += np.exp(-(((beat - 0.38) / 0.012) ** 2)) - 0.25 * np.exp(-(((beat - 0.42) / 0.012) ** 2))
        trace = np.stack([time, rows * lead - 75 * course + chance.normal(0, 0.5, columns)], axis=1)
        width = int(chance.integers(1, 4))
        cv2.polylines(pixels, [trace.astype(np.int32)], False, (25, 25, 35), width)
        near = np.zeros_like(rules)
        cv2.polylines(near, [trace.astype(np.int32)], False, NEAR, 24)
        cv2.polylines(near, [trace.astype(np.int32)], False, ON, width)
        rules = np.maximum(rules, near)
    return pixels, taken, rules


def _ct(rows, columns, chance):
    across, down = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows))
    values = np.full((rows, columns), 4.0)

    def organ(x, y, wide, high, gray, edge=60):
        share = np.clip((1 - np.hypot((across - x) / wide, (down - y) / high)) * edge, 0, 1)
        values[:] = values * (1 - share) + gray * share

    organ(0, 0, 0.8, 0.62, 90)
    organ(0, 0, 0.74, 0.56, 130)
    for _ in range(12):
        x, y = chance.uniform(-0.5, 0.5), chance.uniform(-0.35, 0.35)
        organ(x, y, *chance.uniform(0.04, 0.2, 2), chance.uniform(60, 200), 12)
    organ(0, 0.38, 0.1, 0.09, 245, 20)
    for angle in np.linspace(0, 2 * np.pi, 14):  # ribs, cut across
        organ(0.72 * np.cos(angle), 0.54 * np.sin(angle), 0.05, 0.025, 240, 15)
    return _finish(values + chance.uniform(2, 5) * _grown(chance, rows, columns, 1.5) * (values > 20))


def _ultrasound(rows, columns, chance):
    across, down = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(0, 1, rows))
    depth, angle = np.hypot(across * 0.7, down + 0.1), np.arctan2(across * 0.7, down + 0.1)
    sector = (np.abs(angle) < 0.6) & (depth > 0.2) & (depth < 1.0)
    echo = 60 + 30 * _grown(chance, rows, columns, 40) - 40 * depth
    speckle = cv2.GaussianBlur(chance.rayleigh(1, (rows, columns)).astype(np.float32), (7, 3), 0)
    values = np.clip(echo, 5, 160) * speckle * sector
    for place in range(8):  # bars of gray and ticks of depth, as machines show them
        values[60 + 20 * place : 80 + 20 * place, 30:50] = 32 * place
        values[(place + 1) * rows // 10, columns - 60 : columns - 45] = 200
    pixels, taken, rules = _finish(values)
    taken[:, columns - 70 :] = True
    taken[50:230, :60] = True
    return pixels, taken, rules


def _lab_page(rows, columns, chance):
    pixels, taken, rules = _finish(np.full((rows, columns, 3), chance.uniform(225, 255), np.float32))
    pixels[20:26, 40 : columns - 40] = 60
    taken[14:32] = True
    pixels[90:150, 40 : columns - 40] = (205, 218, 232)
    pitch = int(chance.integers(46, 80))
    level = [(slice(line, line + 2), slice(40, columns - 40)) for line in range(150, rows - 40, pitch)]
    upright = [
        (slice(90, rows - 40), slice(line, line + 2))
        for line in np.linspace(40, columns - 42, int(chance.integers(2, 4))).astype(int)
    ]
    for down, across in level + upright:
        pixels[down, across] = 150
        rules[down.start - 3 : down.stop + 3, across.start - 3 : across.stop + 3] = NEAR
    for down, across in level + upright:
        rules[down, across] = ON
    return pixels, taken, rules


BACKGROUNDS = {
    "flat": _flat,
    "gradient": _gradient,
    "noise": _noise,
    "skin": _skin,
    "x-ray": _x_ray,
    "ekg": _ekg,
    "ct": _ct,
    "ultrasound": _ultrasound,
    "lab page": _lab_page,
}


# Lines


def _stamp(pixels, taken, rules, chance) -> list[Stamped]:
    """Burn in one line where there is room for it and its contrast is what it should be, or none."""
    text = "  ".join(chance.choice(PARTS, int(chance.integers(1, 3)), replace=False))
    letters = _letters(text, round(float(np.exp(chance.uniform(np.log(12), np.log(60))))), chance)
    height = letters.shape[0]
    letters = np.pad(letters, 6)
    body = np.pad(np.full((height, letters.shape[1] - 12), 255, np.uint8), 6)
    if chance.random() < 0.25:
        letters, body = _tilted((letters, body), chance.uniform(-5, 5))
    rows, columns = letters.shape
    if rows >= pixels.shape[0] or columns >= pixels.shape[1]:
        return []
    troubled = chance.random() < (ACROSS if rules.any() else FADING)
    trouble = ("across" if rules.any() and chance.random() < 0.8 else "fading") if troubled else ""
    style = str(chance.choice(["light or dark", "light or dark", "low", "outlined", "colored"]))
    if trouble == "fading" and style in ("low", "outlined"):
        style = "light or dark"
    for _ in range(200 if trouble == "across" else 40):
        top, left = chance.integers(0, pixels.shape[0] - rows), chance.integers(0, pixels.shape[1] - columns)
        window = slice(top, top + rows), slice(left, left + columns)
        crosses = (rules[window][body > 0] == ON).any() if trouble == "across" else rules[window].any()
        if taken[window].any() or crosses != (trouble == "across"):
            continue
        color = _color(style, pixels[window][body > 0], chance)
        if color is None:
            continue
        under = pixels[window].astype(np.float32)
        if style == "outlined":
            border = cv2.dilate(letters, np.ones((3, 3) if height < 30 else (5, 5), np.uint8))
            under *= 1 - border[:, :, None] / 255
        share = letters[:, :, None] / np.float32(255)
        if trouble == "fading":
            ends = [1, _faded(color, pixels[window][body > 0])]
            share = share * np.linspace(*chance.permutation(ends), columns, dtype=np.float32)[:, None]
        pixels[window] = np.clip(under * (1 - share) + np.float32(color) * share, 0, 255)
        taken[max(0, top - 6) : top + rows + 6, max(0, left - 20) : left + columns + 20] = True
        place = np.zeros(taken.shape, bool)
        place[window] = body > 0
        return [Stamped(text, height, style, trouble, place)]
    return []


def _faded(color, under):
    """How opaque a color is at which it differs by FADED_CONTRAST from what is typically under it."""
    usual = np.median(under, axis=0)
    shares = np.linspace(0.05, 1, 39)[:, None]
    light = _luminance(usual * (1 - shares) + np.array(color) * shares) + 0.05
    ratio = light / (_luminance(usual) + 0.05)
    enough = np.maximum(ratio, 1 / ratio) >= FADED_CONTRAST
    return float(shares[enough.argmax(), 0])


def _letters(text, height, chance):
    """The line drawn `height` pixels high from its highest to its lowest point, near enough."""
    kind = chance.integers(0, len(HERSHEY) + 3)
    if kind < len(HERSHEY):
        thick = max(1, round(height / 14))
        scale = cv2.getFontScaleFromHeight(HERSHEY[kind], max(6, int(height * 0.8)), thick)
        (wide, high), below = cv2.getTextSize(text, HERSHEY[kind], scale, thick)
        canvas = np.zeros((high + below + 12, wide + 12), np.uint8)
        cv2.putText(canvas, text, (6, high + 6), HERSHEY[kind], scale, 255, thick, cv2.LINE_AA)
    else:
        font = ImageFont.load_default(height * 1.08)
        right, bottom = font.getbbox(text)[2:]
        drawn = Image.new("L", (int(right) + 8, int(bottom) + 8))
        ImageDraw.Draw(drawn).text((4, 4), text, font=font, fill=255)
        canvas = np.array(drawn)
    lines, places = np.where(canvas > 50)
    return canvas[lines.min() : lines.max() + 1, places.min() : places.max() + 1]


def _tilted(masks, degrees):
    rows, columns = masks[0].shape
    more = int(columns * abs(np.sin(np.radians(degrees))) / 2) + 4
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2 + more), degrees, 1)
    return [
        cv2.warpAffine(np.pad(mask, ((more, more), (0, 0))), turn, (columns, rows + 2 * more))
        for mask in masks
    ]


def _color(style, under, chance):
    """A color that differs from nine tenths of what is under it by the contrast of its style, or None."""
    low, high = np.percentile(_luminance(under), (10, 90))
    light, dark = (high + 0.05) * LEAST_CONTRAST - 0.05, (low + 0.05) / LEAST_CONTRAST - 0.05
    if style == "outlined":
        return (255, 255, 255)
    if style == "low":
        choices = [(_gray(level),) * 3 for level in (light * 1.02, dark * 0.98) if 0 <= level <= 1]
    elif style == "colored":
        choices = [color for color in COLORS if not dark < _luminance(np.array([color]))[0] < light]
    else:
        choices = [
            color for color in ((250,) * 3, (12,) * 3) if not dark < _luminance(np.array([color]))[0] < light
        ]
    return choices[chance.integers(len(choices))] if choices else None


def _luminance(colors):
    share = colors / 255.0
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4) @ (
        0.2126,
        0.7152,
        0.0722,
    )


def _gray(level):
    return round(255 * (12.92 * level if level <= 0.0031308 else 1.055 * level ** (1 / 2.4) - 0.055))


# Faces


def photo(face: np.ndarray, seed: int, degrees: float = 0) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """A face (gray, 0 to 1), enlarged, on a head in front of something; and its left, top, right and bottom."""
    chance = np.random.default_rng(seed)
    rows, columns = 900, 1200
    scene = chance.uniform(50, 200) + 35 * _grown(chance, rows, columns, 50)
    for _ in range(6):  # furniture
        left, top = chance.integers(0, columns - 200), chance.integers(0, rows - 200)
        scene[top : top + chance.integers(60, 200), left : left + chance.integers(60, 200)] += chance.uniform(
            -50, 50
        )
    side = int(chance.integers(120, 320))
    room = int(side * 1.6)
    margin = (room - side) // 2
    enlarged = cv2.resize(
        (np.clip(face, 0, 1) * 255).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
    )
    head = cv2.copyMakeBorder(enlarged, *(margin, room - side - margin) * 2, cv2.BORDER_REPLICATE)
    head = cv2.GaussianBlur(head, (0, 0), side / 12)
    head[margin : margin + side, margin : margin + side] = enlarged
    steps = np.linspace(-1, 1, room)
    share = np.clip((1 - np.hypot(steps[None] / 0.8, steps[:, None] / 0.95)) * 15, 0, 1).astype(np.float32)
    turn = cv2.getRotationMatrix2D((room / 2, room / 2), degrees, 1)
    head = cv2.warpAffine(head, turn, (room, room), borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(share, turn, (room, room))
    left, top = int(chance.integers(0, columns - room)), int(chance.integers(0, rows - room))
    window = slice(top, top + room), slice(left, left + room)
    scene[window] = scene[window] * (1 - share) + head * share
    pixels, *_ = _finish(scene + chance.normal(0, 3, scene.shape))
    return as_jpeg(pixels), (left + margin, top + margin, left + margin + side, top + margin + side)
