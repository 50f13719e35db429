"""Odd files as strangers send them, made here byte by byte: no file of the kind lies in the repository.

`ODD` is a table of a name, what makes the file, and what becomes of it: "photo", "dicom" or the reason of a refusal.
"""

import io
import struct
import zipfile
import zlib

import numpy as np
import pillow_heif
import pydicom
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

SECRET = "PLANTED-NAME"
PLANTED = SECRET.encode()
SIZE = (320, 240)
TEAL = (0, 128, 128)
WHITE = (255, 255, 255)


def file_of(image, file_format="JPEG", **options):
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def plain(mode="RGB", size=SIZE, color=TEAL):
    return Image.new("RGB", size, color).convert(mode)


def textured(size=SIZE):
    """Noise on a slope, which keeps every decoder busy to the last byte."""
    width, height = size
    slope = np.linspace(0, 200, width)[None, :, None]
    noise = np.random.default_rng(7).integers(0, 40, (height, width, 3))
    return Image.fromarray((slope + noise).astype(np.uint8))


def moving(file_format):
    return file_of(plain(), file_format, save_all=True, append_images=[plain(color="red")], duration=100)


# JPEG


def with_segment(jpeg, marker, body):
    return jpeg[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def jpeg_claiming(width, height):
    jpeg = file_of(plain())
    place = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :]


def jpeg_of_many_scans(count):
    jpeg = file_of(plain(), progressive=True)
    start = jpeg.rindex(b"\xff\xda")
    return jpeg[:start] + jpeg[start:-2] * count + jpeg[-2:]


def cmyk(transform=None):
    """As Adobe's programs write it, inverted; with 2 it claims to be YCCK; with -1 the mark of Adobe is gone."""
    jpeg = file_of(plain("CMYK"))
    place = jpeg.index(b"Adobe")
    if transform == -1:
        return jpeg[: place - 4] + jpeg[place + 12 :]
    return jpeg if transform is None else jpeg[: place + 11] + bytes([transform]) + jpeg[place + 12 :]


def exif(orientation=None):
    found = Image.Exif()
    found[0x010E] = SECRET
    found[0x9C9D] = SECRET.encode("utf-16-le")
    found.get_ifd(0x8825).update({1: "N", 2: (40.0, 26.0, 46.0), 29: SECRET})
    if orientation:
        found[0x0112] = orientation
    return found.tobytes()


def thumbnail():
    """An EXIF block whose second directory holds a small JPEG."""
    small = file_of(plain(size=(64, 48)), comment=PLANTED)
    first = struct.pack("<HHHIII", 1, 0x0112, 3, 1, 1, 26)
    second = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(small), 0)
    return b"Exif\0\0" + b"II*\0\x08\0\0\0" + first + second + small


def swapping_profile():
    """Of sRGB with red and blue exchanged: what it is read without shows other colors."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)


QUARTERS = {(0, 0): (200, 0, 0), (1, 0): (0, 160, 0), (0, 1): (0, 0, 200), (1, 1): (220, 220, 0)}
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned(orientation):
    """Four quarters of four colors, stored as a camera held in this way would store them."""
    image = plain()
    half = (SIZE[0] // 2, SIZE[1] // 2)
    for (right, low), color in QUARTERS.items():
        image.paste(color, (right * half[0], low * half[1], (right + 1) * half[0], (low + 1) * half[1]))
    how = STORED_AS[orientation]
    return image if how is None else image.transpose(how)


# PNG and WebP


def with_chunk(png, kind, body):
    """A PNG with one chunk more, before its pixels."""
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    place = png.find(b"IDAT") - 4
    return png[:place] + chunk + png[place:]


def png_claiming(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    png = file_of(plain(), "PNG")
    return png[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + png[33:]


def png_with_texts():
    info = PngInfo()
    info.add_text("Comment", SECRET)
    info.add_text("Author", SECRET, zip=True)
    info.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{SECRET}</x:xmpmeta>")
    info.add_text("Raw profile type exif", SECRET)
    return file_of(plain(), "PNG", pnginfo=info)


def png_of_one_bit(side):
    """All pixels are there, in one color: a hundred megapixels in thirty kilobytes."""
    lines = zlib.compress(bytes(side * (side // 8 + 1)))
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return png_of((b"IHDR", header), (b"IDAT", lines), (b"IEND", b""))


def png_of(*chunks):
    png = b"\x89PNG\r\n\x1a\n"
    for kind, body in chunks:
        png += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png


def deep_png(clear=None):
    """Grays of 16 bits, those of a value transparent."""
    pixels = np.full((240, 320), 40_000, np.uint16)
    pixels[:, 160:] = 1_000
    png = file_of(Image.fromarray(pixels), "PNG")
    return png if clear is None else with_chunk(png, b"tRNS", struct.pack(">H", clear))


def deep_colors():
    """RGB of 16 bits, which Pillow cannot write."""
    header = struct.pack(">IIBBBBB", *SIZE, 16, 2, 0, 0, 0)
    row = b"\0" + struct.pack(">HHH", 0, 0x8080, 0x8080) * SIZE[0]
    return png_of((b"IHDR", header), (b"IDAT", zlib.compress(row * SIZE[1])), (b"IEND", b""))


def webp_claiming(kind):
    """A canvas of 16383 pixels a side, in each of the three kinds of header."""
    side = 16_383
    bodies = {
        b"VP8X": bytes(4) + (side - 1).to_bytes(3, "little") * 2,
        b"VP8L": b"\x2f" + ((side - 1) | (side - 1) << 14).to_bytes(4, "little") + bytes(20),
        b"VP8 ": b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", side, side) + bytes(20),
    }
    body = bodies[kind]
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


# HEIC


def heic(image=None, more=(), **info):
    """Pixels as stored; the orientation in EXIF, if any, is written as the format's own turn too."""
    image = image or plain()
    out = io.BytesIO()
    if more:
        file = pillow_heif.from_pillow(image)
        for other in more:
            file.add_from_pillow(other)
        file.save(out, quality=60)
    else:
        pillow_heif.encode(image.mode, image.size, image.tobytes(), out, quality=60, **info)
    return out.getvalue()


def heic_claiming(width, height):
    file = heic()
    place = file.index(b"ispe") + 8
    return file[:place] + struct.pack(">II", width, height) + file[place + 8 :]


def rebranded(brand, *others):
    file = heic()
    body = brand + bytes(4) + b"".join(others)
    return struct.pack(">I", len(body) + 8) + b"ftyp" + body + file[int.from_bytes(file[:4], "big") :]


# DICOM


def slope(kind=np.uint16, high=4000):
    return np.tile(np.linspace(0, high, SIZE[0]).astype(kind), (SIZE[1], 1))


def dicom(pixels=None, syntax=uid.ExplicitVRLittleEndian, streams=(), groups=(), **elements):
    """A file of one frame, gray unless the pixels have three samples; elements as named by DICOM, or by number."""
    pixels = slope() if pixels is None else pixels
    bits = pixels.dtype.itemsize * 8
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = uid.SecondaryCaptureImageStorage, "1.2.3.4"
    dataset.PatientName, dataset.PatientID = SECRET, SECRET
    dataset.InstitutionName = SECRET
    dataset.private_block(0x0099, SECRET, create=True).add_new(1, "LO", SECRET)
    dataset.Modality = "OT"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    for name, value in elements.items():
        setattr(dataset, name, value)
    for element in groups:
        dataset.add_new(*element)
    dataset.PixelData = encapsulate(list(streams)) if streams else pixels.tobytes()
    dataset["PixelData"].VR = "OB" if streams else "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if syntax == uid.RLELossless else syntax
    if syntax == uid.RLELossless:
        dataset.compress(syntax, generate_instance_uid=False)
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def ct_slice(**elements):
    """Air to bone, in Hounsfield units from -1000 to 2000, stored 1024 higher."""
    return dicom(
        slope(high=3000) + 24,
        Modality="CT",
        RescaleIntercept=-1024,
        RescaleSlope=1,
        WindowCenter=[40, -600],
        WindowWidth=[400, 1500],
        **elements,
    )


def dicom_with_overlay():
    pixels = np.full((240, 320), 100, np.uint16)
    pixels[50:60, 50:60] |= 0x8000  # where older devices keep it: a bit the values do not use
    overlay = np.packbits(np.ones((240, 320), np.uint8)).tobytes()
    numbers = [(0x60000010, "US", 240), (0x60000011, "US", 320), (0x60000050, "SS", [1, 1])]
    texts = [(0x60000022, "LO", SECRET), (0x60003000, "OW", overlay)]
    return dicom(pixels, BitsStored=12, HighBit=11, groups=numbers + texts)


def dicom_in_palette():
    table = np.zeros(256, np.uint16)
    table[7] = 128 << 8
    colors = {}
    for name, values in (("Red", np.zeros(256, np.uint16)), ("Green", table), ("Blue", table)):
        colors[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        colors[f"{name}PaletteColorLookupTableData"] = values.tobytes()
    return dicom(np.full((240, 320), 7, np.uint8), PhotometricInterpretation="PALETTE COLOR", **colors)


def dicom_in_ycc():
    pixels = np.array(plain().convert("YCbCr"))
    return dicom(pixels, PhotometricInterpretation="YBR_FULL")


def dicom_jpeg(image=None, syntax=uid.JPEGBaseline8Bit, **elements):
    image = image or plain()
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    return dicom(pixels, syntax, [file_of(image)], **{"PhotometricInterpretation": "YBR_FULL_422"} | elements)


def dicom_jpeg2000(image=None):
    image = image or plain("L")
    stream = file_of(image, "JPEG2000", no_jp2=True)
    return dicom(np.zeros((SIZE[1], SIZE[0]), np.uint8), uid.JPEG2000Lossless, [stream])


def nested_dicom():
    file = dicom()
    start = file.index(b"\x08\0\x60\0CS")
    sequence, item = b"\x08\0\x40\x11SQ\0\0", b"\xfe\xff\x00\xe0"
    return file[:start] + (sequence + b"\xff" * 4 + item + b"\xff" * 4) * 20_000


def dicom_report():
    dataset = pydicom.dcmread(io.BytesIO(dicom()))
    for name in ("PixelData", "Rows", "Columns"):
        delattr(dataset, name)
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


# Two things in one


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("page.html", f"<script>{SECRET}</script>")
    return out.getvalue()


HTML = f"<html><script>alert('{SECRET}')</script>".encode()
PICTURE = Image.new("RGBA", SIZE, (0, 128, 128, 255))
HIDDEN = Image.new("RGBA", SIZE, (0, 128, 128, 0))

ODD = {
    # Bombs
    "a PNG of 100000 a side by its header": (lambda: png_claiming(100_000, 100_000), "big"),
    "a PNG of 196 megapixels by its header": (lambda: png_claiming(14_000, 14_000), "big"),
    "a PNG of 196 megapixels in one color": (lambda: png_of_one_bit(14_000), "big"),
    "a PNG longer than allowed": (lambda: png_claiming(15_001, 200), "big"),
    "a PNG text that swells": (
        lambda: with_chunk(file_of(plain(), "PNG"), b"zTXt", b"C\0\0" + zlib.compress(bytes(80_000_000))),
        "broken",
    ),
    "a PNG profile that swells": (
        lambda: with_chunk(file_of(plain(), "PNG"), b"iCCP", b"C\0\0" + zlib.compress(bytes(80_000_000))),
        "broken",
    ),
    "a JPEG of 65500 a side by its header": (lambda: jpeg_claiming(65_500, 65_500), "big"),
    "a JPEG whose header claims more than it holds": (lambda: jpeg_claiming(6_000, 6_000), "photo"),
    "a JPEG of a thousand scans": (lambda: jpeg_of_many_scans(1000), "broken"),
    "a WebP canvas of 268 megapixels": (lambda: webp_claiming(b"VP8X"), "big"),
    "a lossless WebP of 268 megapixels": (lambda: webp_claiming(b"VP8L"), "big"),
    "a lossy WebP of 268 megapixels": (lambda: webp_claiming(b"VP8 "), "big"),
    "a HEIC of 60000 a side by its header": (lambda: heic_claiming(60_000, 60_000), "big"),
    "a HEIC that claims less than it holds": (lambda: heic_claiming(128, 128), "broken"),
    "a HEIC that claims more than it holds": (lambda: heic_claiming(9_000, 6_000), "broken"),
    "a DICOM of 65535 rows and columns": (lambda: dicom(Rows=65_535, Columns=65_535), "big"),
    "a DICOM of 36 megapixels": (lambda: dicom(Rows=6_000, Columns=6_000), "big"),
    "a DICOM of more rows than it holds": (lambda: dicom(Rows=5_000, Columns=5_000), "broken"),
    "a DICOM whose JPEG is larger than it says": (lambda: dicom_jpeg(plain(size=(3000, 3000))), "broken"),
    "a DICOM whose JPEG 2000 is larger": (lambda: dicom_jpeg2000(plain("L", (2000, 2000))), "broken"),
    "a DICOM deflated": (
        lambda: dicom(np.zeros((4000, 4000), np.uint16), uid.DeflatedExplicitVRLittleEndian),
        "compression",
    ),
    "a JPEG of nothing but marks": (lambda: b"\xff\xd8\xff" + b"\xff" * 14_000_000, "broken"),
    "a HEIC of a million empty boxes": (lambda: heic() + b"\0\0\0\x08free" * 1_000_000, "broken"),
    "a DICOM of sequences in sequences": (nested_dicom, "broken"),
    "a JPEG of more bytes than allowed": (lambda: file_of(plain()) + bytes(15_000_000), "large"),
    "a DICOM of more bytes than allowed": (lambda: dicom() + bytes(32_000_000), "large"),
    # Two things in one
    "a JPEG and a ZIP": (lambda: file_of(plain()) + zipped(), "photo"),
    "a ZIP and a JPEG": (lambda: zipped() + file_of(plain()), "format"),
    "a JPEG and a page": (lambda: file_of(plain()) + HTML, "photo"),
    "a page in a JPEG's comment": (lambda: file_of(plain(), comment=HTML), "photo"),
    "a page and a JPEG": (lambda: HTML + file_of(plain()), "format"),
    "a GIF and a script": (lambda: b"GIF89a=1;alert(1)//" + bytes(100), "format"),
    "a PNG and a JPEG": (lambda: file_of(plain(), "PNG") + file_of(plain(), comment=PLANTED), "photo"),
    "a PNG and a ZIP": (lambda: file_of(plain(), "PNG") + zipped(), "photo"),
    "a WebP and a page": (lambda: file_of(plain(), "WEBP") + HTML, "photo"),
    "a PDF and a JPEG": (lambda: b"%PDF-1.7\n" + file_of(plain()), "format"),
    "a HEIC and a ZIP": (lambda: heic() + struct.pack(">I", len(zipped()) + 8) + b"free" + zipped(), "photo"),
    "a DICOM that starts like a TIFF": (lambda: b"II*\0" + PLANTED + dicom()[4 + len(PLANTED) :], "dicom"),
    "a DICOM that starts like a JPEG": (lambda: b"\xff\xd8\xff\xe0" + dicom()[4:], "broken"),
    # What is told beside the pixels
    "a JPEG with EXIF and a place": (lambda: file_of(plain(), exif=exif()), "photo"),
    "a JPEG with a thumbnail": (lambda: with_segment(file_of(plain()), 0xE1, thumbnail()), "photo"),
    "a JPEG with XMP": (lambda: file_of(plain(), xmp=b"<x:xmpmeta>" + PLANTED), "photo"),
    "a JPEG with IPTC": (
        lambda: with_segment(
            file_of(plain()), 0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x11\x1c\x02\x50\0\x0c" + PLANTED
        ),
        "photo",
    ),
    "a JPEG with a profile": (lambda: file_of(plain(), icc_profile=PLANTED * 30), "photo"),
    "a JPEG with a comment": (lambda: file_of(plain(), comment=PLANTED), "photo"),
    "a JPEG with an unknown segment": (lambda: with_segment(file_of(plain()), 0xEB, PLANTED), "photo"),
    "a JPEG with broken EXIF": (
        lambda: with_segment(file_of(plain()), 0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff" + PLANTED),
        "photo",
    ),
    "a phone's JPEG with a gain map": (
        lambda: file_of(plain(), "MPO", save_all=True, append_images=[plain(color="red")]),
        "photo",
    ),
    "a PNG with texts": (png_with_texts, "photo"),
    "a PNG with EXIF": (lambda: file_of(plain(), "PNG", exif=exif()), "photo"),
    "a PNG with a profile": (lambda: file_of(plain(), "PNG", icc_profile=PLANTED * 30), "photo"),
    "a PNG with an unknown chunk": (lambda: with_chunk(file_of(plain(), "PNG"), b"prVt", PLANTED), "photo"),
    "a WebP with EXIF": (lambda: file_of(plain(), "WEBP", exif=exif()), "photo"),
    "a WebP with XMP": (lambda: file_of(plain(), "WEBP", xmp=PLANTED), "photo"),
    "a WebP with a profile": (lambda: file_of(plain(), "WEBP", icc_profile=PLANTED * 30), "photo"),
    "a HEIC with EXIF": (lambda: heic(exif=exif()), "photo"),
    "a HEIC with XMP": (lambda: heic(xmp=PLANTED), "photo"),
    "a DICOM with names and private tags": (dicom, "dicom"),
    "a DICOM with overlays": (dicom_with_overlay, "dicom"),
    # Color models
    "a JPEG of grays": (lambda: file_of(plain("L")), "photo"),
    "a JPEG in CMYK, inverted": (cmyk, "photo"),
    "a JPEG in YCCK": (lambda: cmyk(2), "photo"),
    "a JPEG in CMYK of no known maker": (lambda: cmyk(-1), "photo"),
    "a progressive JPEG": (lambda: file_of(textured(), progressive=True), "photo"),
    "a JPEG of one line": (lambda: file_of(plain(size=(400, 1))), "small"),
    "a PNG of one bit": (lambda: file_of(plain("1"), "PNG"), "photo"),
    "a PNG of grays": (lambda: file_of(plain("L"), "PNG"), "photo"),
    "a PNG of grays and alpha": (lambda: file_of(plain("LA"), "PNG"), "photo"),
    "a PNG in a palette": (lambda: file_of(plain().quantize(4), "PNG"), "photo"),
    "a PNG with alpha": (lambda: file_of(PICTURE, "PNG"), "photo"),
    "a PNG of 16 bits": (deep_png, "photo"),
    "a PNG in colors of 16 bits": (deep_colors, "photo"),
    "a WebP with alpha": (lambda: file_of(PICTURE, "WEBP"), "photo"),
    "a lossless WebP": (lambda: file_of(textured(), "WEBP", lossless=True), "photo"),
    "a HEIC of grays": (lambda: heic(plain("L")), "photo"),
    "a HEIC of 16 bits": (lambda: heic(Image.new("I;16", SIZE, 3000)), "photo"),
    "a HEIC with alpha": (lambda: heic(PICTURE.copy()), "photo"),
    "a plain HEIC": (heic, "photo"),
    "a slice of CT": (ct_slice, "dicom"),
    "a DICOM of 8 bits": (lambda: dicom(slope(np.uint8, 255)), "dicom"),
    "a DICOM of signed values": (lambda: dicom(slope(np.int16) - 1000), "dicom"),
    "a DICOM in RGB": (lambda: dicom(np.array(plain())), "dicom"),
    "a DICOM in YCC": (dicom_in_ycc, "dicom"),
    "a DICOM in a palette": (dicom_in_palette, "dicom"),
    "a DICOM that is implicit": (lambda: dicom(syntax=uid.ImplicitVRLittleEndian), "dicom"),
    "a DICOM in RLE": (lambda: dicom(syntax=uid.RLELossless), "dicom"),
    "a DICOM holding a JPEG": (dicom_jpeg, "dicom"),
    "a DICOM holding a JPEG 2000": (dicom_jpeg2000, "dicom"),
    "a DICOM in lossless JPEG": (lambda: dicom_jpeg(syntax=uid.JPEGLosslessSV1), "compression"),
    "a DICOM in JPEG-LS": (lambda: dicom_jpeg(syntax=uid.JPEGLSLossless), "compression"),
    "a DICOM film": (lambda: dicom_jpeg(syntax=uid.MPEG2MPML), "compression"),
    "a DICOM holding no JPEG": (
        lambda: dicom(slope(np.uint8, 255), uid.JPEGBaseline8Bit, [PLANTED]),
        "broken",
    ),
    "a DICOM of 32 bits": (lambda: dicom(slope(np.uint32)), "format"),
    "a DICOM in colors unheard of": (lambda: dicom(PhotometricInterpretation="HSV"), "format"),
    "a DICOM report": (dicom_report, "format"),
    # Hidden under full transparency
    "a PNG all transparent": (lambda: file_of(HIDDEN, "PNG"), "photo"),
    "a WebP all transparent": (lambda: file_of(HIDDEN, "WEBP", exact=True, lossless=True), "photo"),
    "a HEIC all transparent": (lambda: heic(HIDDEN.copy()), "photo"),
    "a PNG in a palette all transparent": (
        lambda: file_of(plain().quantize(4), "PNG", transparency=bytes(4)),
        "photo",
    ),
    "a PNG with a clear color": (lambda: file_of(plain(), "PNG", transparency=TEAL), "photo"),
    "a PNG of 16 bits with a clear gray": (lambda: deep_png(clear=1_000), "photo"),
    # What moves
    "a GIF that moves": (lambda: moving("GIF"), "format"),
    "a PNG that moves": (lambda: moving("PNG"), "frames"),
    "a WebP that moves": (lambda: moving("WEBP"), "frames"),
    "a HEIC of two pictures": (lambda: heic(more=[plain(color="red")]), "frames"),
    "a HEIC that is a film": (
        lambda: rebranded(b"hevc", b"msf1", b"hevc") + b"\0\0\0\x10moov" + bytes(8),
        "frames",
    ),
    "a DICOM of two frames": (lambda: dicom(NumberOfFrames=2), "frames"),
    # What is something else
    "nothing": (lambda: b"", "format"),
    "a text": (lambda: b"Dear colleague, " * 100, "format"),
    "an SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "format"),
    "a TIFF": (lambda: file_of(plain(), "TIFF"), "format"),
    "a TIFF in LAB": (lambda: file_of(Image.new("LAB", SIZE), "TIFF"), "format"),
    "a TIFF of floats": (lambda: file_of(Image.new("F", SIZE), "TIFF"), "format"),
    "a BMP": (lambda: file_of(plain(), "BMP"), "format"),
    "an icon": (lambda: file_of(plain(), "ICO"), "format"),
    "an AVIF": (lambda: file_of(plain(), "AVIF"), "format"),
    "an AVIF that says HEIF first": (lambda: rebranded(b"mif1", b"avif", b"miaf"), "format"),
    "a JPEG 2000": (lambda: file_of(plain(), "JPEG2000"), "format"),
    "a bare DICOM without its mark": (lambda: dicom()[132:], "format"),
    "the mark of DICOM and nothing else": (lambda: bytes(128) + b"DICM", "broken"),
    "the mark of JPEG and nothing else": (lambda: b"\xff\xd8\xff", "broken"),
    "the mark of PNG and nothing else": (lambda: b"\x89PNG\r\n\x1a\n", "broken"),
    "the mark of WebP and nothing else": (lambda: b"RIFF\0\0\0\0WEBP", "broken"),
    "the mark of HEIC and nothing else": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "broken"),
    "noise after the mark of JPEG": (lambda: b"\xff\xd8\xff" + bytes(range(256)) * 40, "broken"),
    "a picture under 100 pixels": (lambda: file_of(plain(size=(99, 400))), "small"),
    "a DICOM under 100 pixels": (lambda: dicom(np.zeros((64, 64), np.uint16)), "small"),
    "a HEIC under 100 pixels": (lambda: heic(plain(size=(64, 64))), "small"),
}

SHOWN_TEAL = (
    "a JPEG in CMYK, inverted",
    "a PNG in a palette",
    "a PNG with alpha",
    "a PNG in colors of 16 bits",
    "a WebP with alpha",
    "a HEIC with alpha",
    "a plain HEIC",
    "a phone's JPEG with a gain map",
    "a PNG and a JPEG",
    "a DICOM in RGB",
    "a DICOM in YCC",
    "a DICOM in a palette",
    "a DICOM holding a JPEG",
)
SHOWN_WHITE = (
    "a PNG all transparent",
    "a WebP all transparent",
    "a HEIC all transparent",
    "a PNG in a palette all transparent",
    "a PNG with a clear color",
    "a PNG of 16 bits with a clear gray",
)
COLORS = dict.fromkeys(SHOWN_TEAL, TEAL) | dict.fromkeys(SHOWN_WHITE, WHITE)

HOLD_THE_SECRET = [
    name for name in ODD if " with " in name and not name.endswith(("alpha", "clear color", "gray", "map"))
]

WHOLE = {  # one of each format, for cutting short and for flipping bytes
    "JPEG": lambda: file_of(textured(), quality=90),
    "progressive JPEG": lambda: file_of(textured(), quality=90, progressive=True),
    "PNG": lambda: file_of(textured(), "PNG"),
    "WebP": lambda: file_of(textured(), "WEBP"),
    "lossless WebP": lambda: file_of(textured(), "WEBP", lossless=True),
    "HEIC": lambda: heic(textured()),
    "DICOM": ct_slice,
    "DICOM holding a JPEG": lambda: dicom_jpeg(textured()),
}
