"""One's own forecasts. The page has no address for anybody else's."""

from typing import NamedTuple

from django.shortcuts import render

from accounts.doors import physician_required
from consults import scores
from consults.services import calibration as services
from questions.models import Question

LISTED = 50
LEFT, RIGHT, TOP, BOTTOM = 36, 348, 12, 200  # of the field, on a canvas 360 by 232
FROM, TO = 50, 100  # percent, on both sides; a share below 50 stands under the field's lower line
LOWEST = 0


class Point(NamedTuple):
    """A bin on the chart. `size` grows with the number of its forecasts."""

    x: int
    y: int
    size: int
    number: int


@physician_required
def calibration(request):
    member = request.user.as_member
    rows = list(services.scored_of(member)) if member else []
    forecasts = [(row.confidence, row.was_right) for row in rows]
    table = scores.calibration(forecasts)
    readable = set(
        Question.objects.visible_to(request.user)
        .filter(pk__in=[row.case_id for row in rows[:LISTED]])
        .values_list("pk", flat=True)
    )
    context = {
        "number": table.number,
        "right": table.right,
        "score": scores.brier(forecasts),
        "table": [_line(each) for each in table.bins],
        "stated": _percent(table.stated),
        "share": _percent(table.share),
        "lean": _lean(table),
        "chart": _chart(table),
        "rows": [(row, row.case_id in readable) for row in rows[:LISTED]],
        "more": max(len(rows) - LISTED, 0),
        "least": scores.LEAST_SCORED,
    }
    return render(request, "consults/calibration.html", context)


def _percent(share: float | None) -> int | None:
    return None if share is None else round(100 * share)


def _line(each: scores.Bin) -> dict:
    return {"bin": each, "share": _percent(each.share)}


def _lean(table: scores.Calibration) -> str:
    """What the chart says, in words."""
    if not table.number:
        return ""
    stated, share = _percent(table.stated), _percent(table.share)
    said = f"On average you said {stated}%, and {share}% were right"
    if stated == share:
        return f"{said}: as sure as you should be."
    return f"{said}: {'surer' if stated > share else 'less sure'} than the outcomes were."


def _chart(table: scores.Calibration) -> dict:
    points = [
        Point(_x(each.confidence), _y(100 * each.share), 3 + min(each.number, 9), each.number)
        for each in table.bins
        if each.number
    ]
    return {
        "points": points,
        "line": " ".join(f"{point.x},{point.y}" for point in points),
        "columns": [(_x(each.confidence), each.confidence) for each in table.bins],
        "grid": [(_y(share), share) for share in (0, 50, 100)],
        "ideal": (_x(FROM), _y(FROM), _x(TO), _y(TO)),
        "left": LEFT,
        "right": RIGHT,
        "bottom": BOTTOM,
    }


def _x(confidence: int) -> int:
    """With a margin for the outer points."""
    return round(LEFT + 14 + (RIGHT - LEFT - 28) * (confidence - FROM) / (TO - FROM))


def _y(share: float) -> int:
    return round(BOTTOM - (BOTTOM - TOP) * (share - LOWEST) / (TO - LOWEST))
