"""What the first bytes of a picture say, judged before a decoder sees the rest. Raises sandbox.Refused."""

import re

from sermo.sandbox import Refused

MAX_SIDE = 15_000  # pixels
MAX_PIXELS = 60_000_000
MOST_SCANS = 40  # of a progressive JPEG, ten as a rule; each costs a walk over the whole picture
MOST_SEGMENTS = 2_000  # of a JPEG: headers, profiles, scans
MOST_CHUNKS = 50_000  # of a PNG, whose pixels may lie in many
MOST_BOXES = 1_000  # of a HEIC, a handful as a rule
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}

JPEG_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")  # those that are no stuffing and no restart
JPEG_SCAN, JPEG_END = 0xDA, 0xD9


def sniff(data: bytes) -> str | None:
    """Which of the formats this site knows a file has by its first bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"%PDF-"):
        return "PDF"
    if data[4:8] == b"ftyp" and _is_heic(data):
        return "HEIC"
    if data[128:132] == b"DICM":
        return "DICOM"
    return None


def check(data: bytes, sort: str) -> None:
    """Refuse what is cut short, moves, or would swell, as far as the bytes tell without decoding."""
    {"JPEG": _check_jpeg, "PNG": _check_png, "WEBP": _check_webp, "HEIC": _check_heic}[sort](data)


def check_size(width: int, height: int, least: int) -> None:
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise Refused("big")
    if min(width, height) < least:
        raise Refused("small")


def _is_heic(data: bytes) -> bool:
    length = int.from_bytes(data[:4], "big")
    major, others = data[8:12], data[16 : min(length, 512)]
    brands = {major} | {others[place : place + 4] for place in range(0, len(others), 4)}
    if major in AVIF_BRANDS or (brands & AVIF_BRANDS and not brands & {b"heic", b"heix"}):
        return False
    return bool(brands & HEIC_BRANDS)


def _check_jpeg(data: bytes) -> None:
    scans = 0
    place = 2
    for _ in range(MOST_SEGMENTS):
        found = JPEG_MARKER.search(data, place)
        if not found:
            break
        marker = found[1][0]
        if marker == JPEG_END:
            return
        place = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
        scans += marker == JPEG_SCAN
        if scans > MOST_SCANS:
            break
    raise Refused("broken")


def _check_png(data: bytes) -> None:
    place = 8
    for _ in range(MOST_CHUNKS):
        length = int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        place += length + 12
        if kind == b"acTL":
            raise Refused("frames")
        if kind == b"IEND" and place <= len(data):
            return
    raise Refused("broken")


def _check_webp(data: bytes) -> None:
    """The decoder takes two canvases of memory before anyone can ask it for the size."""
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise Refused("broken")
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 0b10:
            raise Refused("frames")
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width = int.from_bytes(data[26:28], "little") & 0x3FFF
        height = int.from_bytes(data[28:30], "little") & 0x3FFF
    else:
        width = height = 0
    if not width * height:
        raise Refused("broken")
    check_size(width, height, least=1)


def _check_heic(data: bytes) -> None:
    """A `moov` box holds a film, beside the picture or in its stead."""
    place = 0
    for _ in range(MOST_BOXES):
        if place + 8 > len(data):
            break
        length = int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        if length == 1:
            length = int.from_bytes(data[place + 8 : place + 16], "big")
        if kind == b"moov":
            raise Refused("frames")
        if length == 0:  # to the end of the file
            return
        if length < 8:
            raise Refused("broken")
        place += length
    if place != len(data):
        raise Refused("broken")
