"""What an author ticks before a case goes out."""

# The key of each tick, and what is ticked: what a search by machine does not find is looked for by a person.
CHECKLIST = (
    ("face", "No face shows, in the picture or in a mirror, a screen or an inset."),
    ("eyes", "No face is left with only its eyes covered: that alone hides nobody."),
    ("marks", "No tattoo, birthmark, piercing, jewelry or clothing by which somebody could be known."),
    ("band", "No name band, name tag, label or sticker."),
    ("dates", "No date: of birth, of admission, of the study, on a clock or a calendar."),
    ("numbers", "No record, account, accession or telephone number, and no bar code."),
    ("screens", "No text of a monitor, a printout or a device that names the patient or the place."),
    ("background", "Nothing in the background: other people, signs, a room that could be known."),
)
TICKS = frozenset(key for key, _ in CHECKLIST)


def number_of(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def span(seconds: float) -> str:
    """How long something took, as exactly as one would say it: "4 min", "1 h 20 min", "14 h", "2 days 3 h"."""
    minutes = int(seconds // 60)
    hours, days = minutes // 60, minutes // 1440
    if minutes < 1:
        return "under 1 min"
    if hours < 1:
        return f"{minutes} min"
    if hours < 10 and minutes % 60:
        return f"{hours} h {minutes % 60} min"
    if days < 1:
        return f"{hours} h"
    rest = f" {hours % 24} h" if days < 10 and hours % 24 else ""
    return f"{number_of(days, 'day')}{rest}"
