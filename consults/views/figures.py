"""The figures of cases: how fast they are answered and solved, with what each figure means."""

from django.shortcuts import render
from django.utils import timezone

from accounts.doors import physician_required
from consults import figures

NAMES = {"month": "Last 30 days", "all": "All time"}
TOP, LINE, LEFT, WIDEST = 4, 22, 64, 240  # of the drawing, 360 wide


@physician_required
def case_figures(request):
    """`period` says of which time the tables by specialty and hour are."""
    periods, moment = figures.as_of_late()
    chosen = request.GET.get("period") if request.GET.get("period") in NAMES else "all"
    context = {
        "periods": [_summary(name, periods[key]) for key, name in NAMES.items()],
        "moment": moment,
        "zone": timezone.get_current_timezone_name().rpartition("/")[2].replace("_", " "),
        "tabs": [(name, f"?period={key}#breakdown", key == chosen) for key, name in NAMES.items()],
        "chosen": periods[chosen],
        "chosen_name": NAMES[chosen],
        "hours": [(f"{hour:02}:00", tally) for hour, tally in periods[chosen].by_hour.items()],
        "chart": _chart(periods["all"].whole),
        "waiting": figures.waiting(request.user),
        "least_for_rate": figures.LEAST_FOR_RATE,
        "least_for_time": figures.LEAST_FOR_TIME,
        "most_waiting": figures.MOST_WAITING,
        "windows": list(figures.WITHIN),
    }
    return render(request, "consults/figures.html", context)


def _summary(name: str, period: figures.Period) -> dict:
    tally = period.whole
    times = [("First reply", tally.reply), ("Solved", tally.solve), ("Page heard", period.pages)]
    return {"name": name, "tally": tally, "times": [(words, one) for words, one in times if one.of]}


def _chart(tally: figures.Tally) -> dict | None:
    """A bar for each step of the time to the first reply, in whole units; None while there are too few."""
    if not tally.reply.is_shown:
        return None
    counts = [*zip(figures.STEPS, tally.steps, strict=True), ("none yet", tally.unanswered)]
    most = max(count for _, count in counts)
    bars = [
        {
            "label": label,
            "count": count,
            "y": TOP + place * LINE,
            "base": TOP + place * LINE + 13,
            "width": max(round(WIDEST * count / most), 1 if count else 0),
            "end": LEFT + round(WIDEST * count / most) + 6,
        }
        for place, (label, count) in enumerate(counts)
    ]
    return {
        "bars": bars,
        "left": LEFT,
        "height": TOP + LINE * len(bars),
        "n": tally.reply.n,
        "of": tally.reply.of,
    }
