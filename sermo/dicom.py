"""From a DICOM file of one frame to plain 8-bit pictures. The header is read for its numbers and then dropped.

Runs in the child of `sermo.images` alone. Annotations burned into the pixels stay: to find them is redaction's work.
Overlays are not drawn.
"""

import io
import math
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pydicom
from PIL import Image
from pydicom.encaps import get_frame
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, get_decoder
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGExtended12Bit, RLELossless

from sermo.image_headers import check, check_size, sniff
from sermo.sandbox import Refused

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_PIXELS = 30_000_000  # a mammogram has 24 million
ROWS_AT_ONCE = 512  # looked up in a table together; indexes take eight bytes each
BLACK, WHITE = 0, 255
COLORS = {"RGB": "RGB", "YBR_FULL": "YCbCr", "YBR_FULL_422": "YCbCr"}  # as PIL calls them

WANTED = [
    "Modality", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence",
    "RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
    "PixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
]  # fmt: skip


class Window(NamedTuple):
    """Which values are shown, in the units of the file: Hounsfield's for CT."""

    center: float
    width: float
    function: str = "LINEAR"


class View(NamedTuple):
    name: str
    label: str
    window: Window | None = None


CT_VIEWS = [
    View("lung", "Lung", Window(-600, 1500)),
    View("soft", "Soft tissue", Window(40, 400)),
    View("bone", "Bone", Window(400, 1800)),
    View("brain", "Brain", Window(40, 80)),
]
AS_SENT = View("as-sent", "As sent")


def draw(data: bytes, least: int) -> list[tuple[View, Image.Image]]:
    """The frame as it is looked at: CT in four windows, all else as it was sent. Raises Refused."""
    warnings.simplefilter("ignore", UserWarning)  # pydicom's, of odd headers
    dataset = _read(data)
    _check(dataset, least)
    pixels, colors = _decode(dataset)
    if colors == "PALETTE COLOR":
        return [(AS_SENT, _in_palette(pixels, dataset))]
    if colors in COLORS:
        return [(AS_SENT, _in_colors(pixels, dataset, COLORS[colors]))]
    if colors in ("MONOCHROME1", "MONOCHROME2"):
        return _in_grays(pixels, dataset, inverted=colors == "MONOCHROME1")
    raise Refused("format")


def _read(data: bytes) -> "Dataset":
    """The few elements that matter. A deflated file is refused before it swells."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    meta = pydicom.filereader._read_file_meta_info(io.BytesIO(data[132:]))
    syntax = meta.TransferSyntaxUID
    if syntax == DeflatedExplicitVRLittleEndian:
        raise Refused("compression")
    dataset = pydicom.dcmread(io.BytesIO(data), specific_tags=WANTED)
    if "PixelData" not in dataset:
        is_report = len(dataset) and "Rows" not in dataset
        raise Refused("format" if is_report else "broken")
    return dataset


def _check(dataset: "Dataset", least: int) -> None:
    width, height = int(dataset.Columns), int(dataset.Rows)
    if width * height > MAX_PIXELS:
        raise Refused("big")
    check_size(width, height, least)
    if int(dataset.get("NumberOfFrames") or 1) != 1:
        raise Refused("frames")
    if dataset.BitsAllocated not in (1, 8, 16) or dataset.SamplesPerPixel not in (1, 3):
        raise Refused("format")
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == JPEGExtended12Bit and dataset.BitsStored > 8:
        raise Refused("compression")
    try:
        if not get_decoder(syntax).is_available:
            raise Refused("compression")
    except NotImplementedError as error:
        raise Refused("compression") from error
    if syntax.is_encapsulated and syntax != RLELossless:
        _check_stream(dataset)


def _check_stream(dataset: "Dataset") -> None:
    """The compressed picture inside has a header of its own, which must not speak of another size."""
    stream = get_frame(dataset.PixelData, 0, number_of_frames=1)
    if sniff(stream) == "JPEG":
        check(stream, "JPEG")
    try:
        size = Image.open(io.BytesIO(stream), formats=["JPEG", "JPEG2000"]).size
    except OSError as error:
        raise Refused("broken") from error
    if size != (dataset.Columns, dataset.Rows):
        raise Refused("broken")


def _decode(dataset: "Dataset") -> tuple[np.ndarray, str]:
    """The stored values and their color model."""
    try:
        pixels, about = get_decoder(dataset.file_meta.TransferSyntaxUID).as_array(
            dataset,
            index=0,
            raw=True,
            correct_unused_bits=True,  # where older devices hide overlays
        )
    except RuntimeError as error:  # what all decoders failed at: colors of 16 bits, or a broken stream
        raise Refused("compression" if dataset.BitsStored > 8 else "broken") from error
    return pixels, about["photometric_interpretation"]


# Colors


def _in_colors(pixels: np.ndarray, dataset: "Dataset", mode: str) -> Image.Image:
    if pixels.dtype.itemsize > 1:
        pixels = (pixels >> max(0, dataset.BitsStored - 8)).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels), mode).convert("RGB")


def _in_palette(pixels: np.ndarray, dataset: "Dataset") -> Image.Image:
    least, values, _ = _values_of(pixels)
    table = apply_color_lut(values, dataset)[:, :3]
    if table.dtype.itemsize > 1:
        table = table >> 8 if table.max() > WHITE else table
    return Image.fromarray(_look_up(pixels, least, table.astype(np.uint8)), "RGB")


# Grays: each stored value is looked up in a table, which is cheap to compute however large the picture


def _in_grays(pixels: np.ndarray, dataset: "Dataset", *, inverted: bool) -> list[tuple[View, Image.Image]]:
    least, values, present = _values_of(pixels)
    padding = _is_padding(values, dataset)
    shown = present & ~padding
    if not shown.any():
        shown = present
    meant = apply_modality_lut(values, dataset).astype(float)
    drawn = []
    for view in _views(dataset):
        table = _grays(meant, shown, dataset, view.window)
        if inverted:
            table = WHITE - table
        table[padding] = BLACK
        drawn.append((view, Image.fromarray(_look_up(pixels, least, table), "L")))
    return drawn


def _views(dataset: "Dataset") -> list[View]:
    is_scan = dataset.get("Modality") == "CT" and "RescaleIntercept" in dataset
    return CT_VIEWS if is_scan else [AS_SENT]


def _values_of(pixels: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """The least stored value, all from it to the greatest, and which of them occur."""
    least, most = int(pixels.min()), int(pixels.max())
    present = np.zeros(most - least + 1, bool)
    for rows in _some_rows(pixels):
        present[pixels[rows].astype(np.int32) - least] = True
    return least, np.arange(least, most + 1, dtype=np.int32), present


def _is_padding(values: np.ndarray, dataset: "Dataset") -> np.ndarray:
    """Which values stand for no picture at all."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return np.zeros(values.shape, bool)
    limit = dataset.get("PixelPaddingRangeLimit", value)
    return (values >= min(value, limit)) & (values <= max(value, limit))


def _grays(meant: np.ndarray, shown: np.ndarray, dataset: "Dataset", window: Window | None) -> np.ndarray:
    """A gray for each value: in a window, in the file's own, or from the darkest to the brightest there is."""
    if window:
        return _through(window, meant)
    if own := _own_window(dataset):
        table = _through(own, meant)
    elif "VOILUTSequence" in dataset:
        table = _stretched(apply_voi(meant.astype(np.int32), dataset).astype(float), shown)
    else:
        return _stretched(meant, shown)
    shows_something = np.ptp(table[shown]) > 1
    return table if shows_something else _stretched(meant, shown)


def _own_window(dataset: "Dataset") -> Window | None:
    center, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if center is None or width is None or not (math.isfinite(center) and 0 < width < math.inf):
        return None
    return Window(center, width, dataset.get("VOILUTFunction") or "LINEAR")


def _first(value) -> float | None:
    if isinstance(value, pydicom.multival.MultiValue):
        value = value[0] if value else None
    return None if value in (None, "") else float(value)


def _through(window: Window, meant: np.ndarray) -> np.ndarray:
    """As DICOM defines it, in part 3, C.11.2.1."""
    center, width, function = window
    if function == "SIGMOID":
        share = 1 / (1 + np.exp(np.clip(-4 * (meant - center) / width, -50, 50)))
    elif function == "LINEAR" and width > 1:
        share = (meant - (center - 0.5)) / (width - 1) + 0.5
    else:
        share = (meant - center) / width + 0.5
    return (np.clip(share, 0, 1) * WHITE + 0.5).astype(np.uint8)


def _stretched(meant: np.ndarray, shown: np.ndarray) -> np.ndarray:
    low, high = meant[shown].min(), meant[shown].max()
    share = (meant - low) / max(high - low, 1e-9)
    return (np.clip(share, 0, 1) * WHITE + 0.5).astype(np.uint8)


def _look_up(pixels: np.ndarray, least: int, table: np.ndarray) -> np.ndarray:
    drawn = np.empty(pixels.shape + table.shape[1:], np.uint8)
    for rows in _some_rows(pixels):
        drawn[rows] = table[pixels[rows].astype(np.int32) - least]
    return drawn


def _some_rows(pixels: np.ndarray) -> Iterator[slice]:
    for top in range(0, len(pixels), ROWS_AT_ONCE):
        yield slice(top, top + ROWS_AT_ONCE)
