"""Pictures for the demonstration, drawn by arithmetic: they look like what one photographs at work and show nobody.

Each function gives the bytes of a file as a phone or a scanner would send it, some with a name burned in that the masks
have to cover. The names are invented. The same number gives the same picture.
"""

import io
from datetime import date

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

LABEL = "ROE, JAMIE  F  03/04/1961  MRN 0048213"


def rash(number: int = 1) -> bytes:
    """A ring of red on light brown skin, with a paper ruler that bears a name."""
    lot, (height, width) = np.random.default_rng(number), (1200, 1600)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    skin = np.stack([np.full((height, width), tone, np.float32) for tone in (205, 158, 130)], axis=-1)
    skin *= (0.86 + 0.22 * np.exp(-((x - 700) ** 2 + (y - 500) ** 2) / 6.5e5))[..., None]
    skin += _clouds(lot, height, width, 90)[..., None] * 9 + lot.normal(0, 3.2, (height, width, 1))
    distance = np.sqrt(((x - 760) / 1.12) ** 2 + (y - 560) ** 2)
    away = distance + _clouds(lot, height, width, 240) * 20
    ring = np.exp(-(((away - 300) / 62) ** 2)) + 0.5 * np.exp(-((distance / 60) ** 2))
    skin -= ring[..., None] * np.array([24, 72, 66], np.float32)
    skin -= (np.exp(-((distance / 9) ** 2)) * 60)[..., None]
    picture = _picture(skin)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((180, 1010, 1420, 1130), fill=(244, 242, 235))
    for centimeter in range(31):
        left = 200 + centimeter * 40
        draw.line((left, 1010, left, 1046 if centimeter % 5 == 0 else 1030), fill=(40, 40, 40), width=3)
    draw.text((210, 1070), LABEL, fill=(30, 30, 60), font=_font(38))
    return _jpeg(picture)


def chest_film(number: int = 2) -> bytes:
    """A chest film from the front with a shadow in the right lower field, and who it is in the corner."""
    lot, (height, width) = np.random.default_rng(number), (1500, 1300)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    body = 150 * np.exp(-(((x - 650) / 640) ** 6) - (((y - 760) / 900) ** 8))
    lungs = np.zeros_like(body)
    for middle in (385, 915):
        lungs += np.exp(-((((x - middle) / 205) ** 2 + ((y - 700) / 430) ** 2) ** 2.2))
    body -= 105 * lungs
    body += 74 * np.exp(-((((x - 745) / 190) ** 2 + ((y - 900) / 245) ** 2) ** 1.8))  # the heart
    body += 60 * np.exp(-(((x - 650) / 58) ** 4)) * np.clip((y - 80) / 500, 0, 1)  # the spine
    for rib in range(9):
        for side in (-1, 1):
            along = (x - 650) * side
            curve = 210 + rib * 108 + (along - 90) * 0.42 - 0.00052 * (along - 90) ** 2
            inside = np.clip((along - 70) / 50, 0, 1) * np.clip((590 - along) / 60, 0, 1)
            body += 19 * np.exp(-(((y - curve) / 15) ** 2)) * inside
    body += (
        62
        * np.exp(-((((x - 360) / 120) ** 2 + ((y - 930) / 95) ** 2) ** 1.2))
        * (0.8 + 0.3 * _clouds(lot, height, width, 40))
    )
    body += _clouds(lot, height, width, 60) * 5 + lot.normal(0, 4.5, (height, width))
    picture = _picture(np.repeat(body[..., None] + 14, 3, axis=-1))
    draw = ImageDraw.Draw(picture)
    draw.text((36, 34), LABEL.partition("  MRN")[0], fill=(235, 235, 235), font=_font(34))
    draw.text((36, 82), "MERCY NORTH  14:22", fill=(235, 235, 235), font=_font(34))
    draw.text((1190, 60), "L", fill=(245, 245, 245), font=_font(64))
    return _jpeg(picture)


def ekg(number: int = 3) -> bytes:
    """Twelve leads on paper: ST elevation in II, III and aVF, mirrored in I and aVL. Nothing on it names anybody."""
    lot, width, height = np.random.default_rng(number), 2000, 1240
    picture = Image.new("RGB", (width, height), (255, 250, 247))
    draw = ImageDraw.Draw(picture)
    for step in range(0, width, 10):
        tone = (243, 190, 186) if step % 50 == 0 else (251, 223, 220)
        draw.line((step, 0, step, height), fill=tone)
        if step < height:
            draw.line((0, step, width, step), fill=tone)
    leads = [["I", "aVR", "V1", "V4"], ["II", "aVL", "V2", "V5"], ["III", "aVF", "V3", "V6"]]
    shift = {"II": 26, "III": 34, "aVF": 30, "I": -14, "aVL": -20, "V2": -10}
    for row, names in enumerate(leads):
        middle = 200 + row * 300
        for column, name in enumerate(names):
            start = 60 + column * 470
            points = []
            for step in range(460):
                beat = (step + 37 * row) % 148
                wave = 9 * _bump(beat, 24, 8) - 6 * _bump(beat, 46, 3) + 74 * _bump(beat, 52, 4)
                wave += -16 * _bump(beat, 60, 4) + 20 * _bump(beat, 100, 15)
                wave += shift.get(name, 0) * (0.5 + 0.5 * np.tanh((beat - 62) / 3)) * _bump(beat, 74, 30)
                sign = -1 if name == "aVR" else 1
                points.append((start + step, middle - sign * wave + lot.normal(0, 0.8)))
            draw.line(points, fill=(30, 32, 44), width=3, joint="curve")
            draw.text((start + 4, middle - 130), name, fill=(30, 32, 44), font=_font(30))
    points = []
    for step in range(1880):
        beat = step % 148
        wave = 9 * _bump(beat, 24, 8) + 74 * _bump(beat, 52, 4) - 16 * _bump(beat, 60, 4)
        wave += 20 * _bump(beat, 100, 15) + 26 * _bump(beat, 76, 26)
        points.append((60 + step, 1130 - wave + lot.normal(0, 0.8)))
    draw.line(points, fill=(30, 32, 44), width=3, joint="curve")
    return _jpeg(picture)


def chest_ct(number: int = 4) -> bytes:
    """A DICOM slice of the chest with two cavitating nodules at the edge; its header says whose it is."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    lot, side = np.random.default_rng(number), 512
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    units = np.full((side, side), -1000, np.float32)  # Hounsfield

    def put(middle, radii, value, power=1.0):
        inside = ((x - middle[0]) / radii[0]) ** 2 + ((y - middle[1]) / radii[1]) ** 2 < power
        units[inside] = value

    put((256, 262), (222, 168), -90)  # fat
    put((256, 262), (206, 152), 45)  # muscle
    for turn in np.linspace(0, 2 * np.pi, 15):  # ribs
        put((256 + 196 * np.cos(turn), 262 + 143 * np.sin(turn)), (20, 8), 700)
    put((158, 256), (82, 112), -860)
    put((354, 256), (82, 112), -860)
    put((256, 400), (34, 26), 420)  # a vertebra
    put((252, 232), (62, 70), 42)  # the heart
    put((286, 320), (20, 20), 48)  # the aorta
    for _ in range(90):  # vessels
        middle = lot.choice([158, 354]) + lot.normal(0, 34), 256 + lot.normal(0, 46)
        if units[int(middle[1]), int(middle[0])] == -860:
            radius = lot.uniform(1.2, 3.2)
            put(middle, (radius, radius), 20)
    for middle, radius in (((104, 214), 15), ((402, 322), 13)):
        put(middle, (radius, radius), 35)
        put((middle[0] + 2, middle[1] - 1), (radius * 0.45, radius * 0.45), -920)
    put((416, 226), (14, 9), 30)
    units = cv2.GaussianBlur(units, (0, 0), 1.1) + lot.normal(0, 14, units.shape)

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = io.BytesIO()
    slice_ = FileDataset(out, {}, file_meta=meta, preamble=b"\0" * 128)
    slice_.SOPClassUID, slice_.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    slice_.PatientName, slice_.PatientID = "Roe^Jamie", "0048213"
    slice_.PatientBirthDate, slice_.StudyDate = "19610304", f"{date(2026, 1, 5):%Y%m%d}"
    slice_.Modality, slice_.Rows, slice_.Columns = "CT", side, side
    slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
    slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit, slice_.PixelRepresentation = 16, 16, 15, 0
    slice_.RescaleSlope, slice_.RescaleIntercept = 1, -1024
    slice_.PixelData = np.clip(units + 1024, 0, 4095).astype("<u2").tobytes()
    slice_.save_as(out, enforce_file_format=True)
    return out.getvalue()


def dermoscopy(number: int = 5) -> bytes:
    """A pigmented lesion under the dermatoscope: uneven border, two browns, a blue-white corner."""
    lot, side = np.random.default_rng(number), 1200
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    skin = np.stack([np.full((side, side), tone, np.float32) for tone in (222, 176, 156)], axis=-1)
    turn = np.arctan2(y - 610, x - 590)
    edge = 270 + 46 * np.sin(3 * turn + 0.6) + 24 * np.sin(7 * turn) + 30 * _clouds(lot, side, side, 90)
    inside = 1 / (1 + np.exp((np.hypot(x - 590, y - 610) - edge) / 13))
    net = 0.5 + 0.5 * np.sin(x / 11 + 3 * _clouds(lot, side, side, 70)) * np.sin(y / 12)
    skin -= inside[..., None] * np.array([104, 110, 112], np.float32)
    skin -= (inside * net * 26)[..., None]
    dark = inside * np.exp(-(((x - 690) / 120) ** 2 + ((y - 700) / 100) ** 2))
    skin -= dark[..., None] * np.array([58, 44, 34], np.float32)
    veil = inside * np.exp(-(((x - 470) / 90) ** 2 + ((y - 500) / 80) ** 2))
    skin += veil[..., None] * np.array([32, 58, 82], np.float32)
    skin += _clouds(lot, side, side, 50)[..., None] * 7 + lot.normal(0, 3, (side, side, 1))
    skin *= 1 / (1 + np.exp((np.hypot(x - 600, y - 600) - 560) / 9))[..., None]
    return _jpeg(_picture(skin))


def fundus(number: int = 6) -> bytes:
    """A fundus with a swollen disc: its border is gone, and there are small hemorrhages around it."""
    lot, side = np.random.default_rng(number), 1200
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    ground = np.stack([np.full((side, side), tone, np.float32) for tone in (198, 92, 46)], axis=-1)
    ground *= (0.72 + 0.4 * np.exp(-((x - 640) ** 2 + (y - 600) ** 2) / 1.6e5))[..., None]
    disc = np.exp(-((((x - 760) / 118) ** 2 + ((y - 590) / 128) ** 2) ** 1.1))
    ground += disc[..., None] * np.array([52, 104, 84], np.float32)
    ground -= np.exp(-(((x - 420) / 66) ** 2 + ((y - 620) / 60) ** 2))[..., None] * np.array([60, 36, 20])
    vessels = Image.new("L", (side, side))
    draw = ImageDraw.Draw(vessels)
    for turn in np.linspace(0.35, 2 * np.pi + 0.35, 11)[:-1]:
        points, angle, left, top = [], turn, 760.0, 590.0
        for _ in range(60):
            points.append((left, top))
            angle += lot.normal(0, 0.09) + (0.012 if np.sin(turn) > 0 else -0.012) * np.sign(np.cos(turn))
            left, top = left + 13 * np.cos(angle), top + 13 * np.sin(angle)
        draw.line(points, fill=255, width=int(lot.integers(5, 13)), joint="curve")
    for _ in range(9):
        left, top = 760 + lot.normal(0, 120), 590 + lot.normal(0, 120)
        draw.ellipse((left, top, left + lot.uniform(14, 40), top + lot.uniform(6, 12)), fill=210)
    red = cv2.GaussianBlur(np.asarray(vessels, np.float32) / 255, (0, 0), 2.2)
    ground -= red[..., None] * np.array([96, 62, 34], np.float32)
    ground += lot.normal(0, 2.4, (side, side, 1))
    ground *= 1 / (1 + np.exp((np.hypot(x - 600, y - 600) - 555) / 5))[..., None]
    return _jpeg(_picture(ground))


def lab_page(number: int = 7) -> bytes:
    """A page of results photographed from above: all of it is text, and the head of it names the patient."""
    lot, picture = np.random.default_rng(number), Image.new("RGB", (1300, 1500), (250, 249, 245))
    draw = ImageDraw.Draw(picture)
    draw.text((90, 70), LABEL, fill=(20, 20, 20), font=_font(34))
    draw.line((90, 130, 1210, 130), fill=(60, 60, 60), width=3)
    rows = [
        *(("Sodium", "128", "136-145"), ("Potassium", "5.9", "3.5-5.1"), ("Creatinine", "1.4", "0.6-1.2")),
        *(("Glucose", "61", "70-99"), ("Cortisol, 8 am", "2.1", "6.2-19.4"), ("ACTH", "412", "7-63")),
        *(("TSH", "5.2", "0.4-4.5"), ("Renin", "38", "0.5-4.0"), ("Aldosterone", "< 1", "4-31")),
    ]
    for place, row in enumerate(rows):
        for left, word in zip((90, 620, 900), row, strict=True):
            draw.text((left, 190 + place * 110), word, fill=(24, 24, 24), font=_font(44))
    shade = 1 - 0.12 * np.linspace(0, 1, 1300, dtype=np.float32)[None, :, None]
    pixels = np.asarray(picture, np.float32) * shade + lot.normal(0, 2.2, (1500, 1300, 1))
    return _jpeg(_picture(pixels))


WHEALS = (  # from the left, from the top, half the width
    *((300, 250, 110), (820, 265, 150), (1290, 330, 105), (500, 640, 135)),
    *((1010, 690, 160), (1420, 800, 85), (240, 980, 80), (760, 1030, 95)),
)


def wheals(number: int = 8, *, is_later: bool = False) -> bytes:
    """Raised pink wheals on skin, each with a line of ink around it; later stains in the same places."""
    lot, (height, width) = np.random.default_rng(number), (1200, 1600)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    skin = np.stack([np.full((height, width), tone, np.float32) for tone in (214, 170, 146)], axis=-1)
    skin *= (0.88 + 0.2 * np.exp(-((x - 900) ** 2 + (y - 480) ** 2) / 7e5))[..., None]
    blots = _clouds(lot, height, width, 44)
    for left, top, radius in WHEALS:
        near = np.s_[
            max(top - 2 * radius, 0) : top + 2 * radius, max(left - 2 * radius, 0) : left + 2 * radius
        ]
        across, down = x[near] - left, y[near] - top
        turn = np.arctan2(down, across)
        edge = radius * (1 + 0.13 * np.sin(2 * turn + left) + 0.07 * np.sin(5 * turn + top)) + 6 * blots[near]
        beyond = np.hypot(across, down) - edge
        inside = (1 / (1 + np.exp(np.clip(beyond / 5, -30, 30))))[..., None]
        if is_later:
            skin[near] -= inside * (0.62 + 0.28 * blots[near])[..., None] * np.array([50, 62, 44], np.float32)
        else:
            rim = np.exp(-(((beyond + 8) / 26) ** 2))[..., None]
            skin[near] += inside * np.array([8, -20, -14], np.float32)
            skin[near] -= rim * np.array([4, 40, 36], np.float32)
            skin[near] += np.exp(-((beyond + 0.5 * radius) ** 2) / radius**2)[..., None] * 9 * inside
        ink = np.exp(-(((beyond - 18) / 3) ** 2))[..., None]
        skin[near] -= ink * np.array([110, 84, 30], np.float32) * (0.6 if is_later else 1)
    skin += _clouds(lot, height, width, 90)[..., None] * 7 + lot.normal(0, 3.2, (height, width, 1))
    return _jpeg(_picture(skin))


def wheals_later(number: int = 8) -> bytes:
    return wheals(number, is_later=True)


def _bump(at: float, middle: float, width: float) -> float:
    return float(np.exp(-(((at - middle) / width) ** 2)))


def _clouds(lot: np.random.Generator, height: int, width: int, grain: int) -> np.ndarray:
    """Soft noise between about -1 and 1, in blots of so many pixels."""
    small = lot.normal(0, 0.7, (height // grain + 3, width // grain + 3)).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def _font(size: int):
    return ImageFont.load_default(size)


def _picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()
