"""What is too small to be told outside of a room: cells and numbers of fewer than five.

Zero tells of nobody and is shown. Where few are left out, so much more is left out besides that they cannot be worked
out from the sum: at least two together, and at least five people in them.
"""

from collections.abc import Sequence

from django.db.models import Count

from focusgroups.models import Room

LEAST = 5
FEW = f"fewer than {LEAST}"
UNSHOWN = "not shown"  # also what stands beside a few
SMALLER = "smaller cells"


def hidden_among(counts: Sequence[int]) -> set[int]:
    """The places of counts that are not shown; nobody is counted twice in them."""
    order = sorted((place for place, count in enumerate(counts) if count), key=lambda p: (counts[p], p))
    hidden = {place for place in order if counts[place] < LEAST}
    rest = [place for place in order if place not in hidden]
    while hidden and rest and (len(hidden) < 2 or sum(counts[place] for place in hidden) < LEAST):
        hidden.add(rest.pop(0))
    return hidden


def cell_names(room: Room) -> dict[int, str]:
    """What each quota cell of a room is called outside of it. One query."""
    cells = room.cells.annotate(number=Count("participants")).order_by("place")
    rows = list(cells.values_list("pk", "name", "number"))
    hidden = hidden_among([number for *_, number in rows])
    return {pk: SMALLER if place in hidden else name for place, (pk, name, _) in enumerate(rows)}
