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
