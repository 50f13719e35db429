"""The small picture beside a handle or a name: where it lies and what it may be.

`Member.handle_picture` and `Member.name_picture` hold "stock:<name>" for one of the drawings everybody may take, the
key of an upload, or nothing, which means two letters.
"""

from django.templatetags.static import static
from django.urls import reverse

from accounts.models import Face, Member

SIDE = 256  # pixels of an upload as kept
LARGEST = 15_000_000  # bytes of an upload as sent
STOCK = "stock:"

# File name under static/img/avatars: what it is called.
STOCK_PICTURES = {
    "rings": "Rings",
    "target": "Target",
    "orbit": "Orbit",
    "moons": "Moons",
    "arcs": "Arcs",
    "petals": "Petals",
    "waves": "Waves",
    "ripples": "Ripples",
    "dunes": "Dunes",
    "stripes": "Stripes",
    "slant": "Slant",
    "ladder": "Ladder",
    "steps": "Steps",
    "bricks": "Bricks",
    "lattice": "Lattice",
    "weave": "Weave",
    "checks": "Checks",
    "diamonds": "Diamonds",
    "peaks": "Peaks",
    "chevrons": "Chevrons",
    "prism": "Prism",
    "compass": "Compass",
    "rays": "Rays",
    "dots": "Dots",
}


def other_face(face: str) -> Face:
    return Face.NAME if face == Face.HANDLE else Face.HANDLE


def field_of(face: str) -> str:
    """The field of Member that holds the picture of a face."""
    return {Face.HANDLE: "handle_picture", Face.NAME: "name_picture"}[Face(face)]


def picture_url(member: Member, face: str) -> str:
    """Where the picture of a face lies, or "" for two letters. Asks no database.

    Nobody but oneself is shown the picture of somebody who is no physician here now.
    """
    if not member.may_read or (face == Face.NAME and member.byline_mode != Member.BylineMode.PUBLIC):
        return ""
    return own_picture_url(member, face)


def own_picture_url(member: Member, face: str) -> str:
    """The same as its owner sees it, at any standing."""
    chosen = getattr(member, field_of(face))
    if not chosen:
        return ""
    if chosen.startswith(STOCK):
        return stock_url(chosen.removeprefix(STOCK))
    return reverse("accounts:picture", args=[chosen])


def stock_url(name: str) -> str:
    return static(f"img/avatars/{name}.svg")
