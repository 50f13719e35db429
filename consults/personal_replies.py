"""What replies to cases and their diagnoses know of a person, for the ledger of personal data."""

from accounts.leaving.ledger import NUMBER, OWNER, PLACE, Entry, Fate, Shown


def _diagnosis(row):
    return row.diagnosis and row.diagnosis.name


def _case(row):
    return row.diagnosis.case_id


ENTRIES = (
    Entry(
        "consults.Diagnosis",
        "Diagnoses of cases",
        Fate.KEPT,
        "A part of the case, whoever named them.",
        withheld={
            "id": NUMBER,
            "case": PLACE,
            "name": PLACE,
            "key": PLACE,
            "code": PLACE,
            "merged_into": PLACE,
            "named_at": PLACE,
        },
    ),
    Entry(
        "consults.Reply",
        "Your diagnoses",
        Fate.KEPT,
        "A part of your answers. What they were worth nobody else is ever told.",
        path="member__user",
        load=("diagnosis",),
        shown=(
            Shown("post", "post", lambda reply: reply.post_id),
            Shown("case", "case", lambda reply: reply.case_id),
            Shown("diagnosis", "diagnosis", _diagnosis),
            "confidence",
            "is_forecast",
            "was_right",
        ),
        withheld={"member": OWNER},
    ),
    Entry(
        "consults.DiagnosisVote",
        "Your votes on diagnoses",
        Fate.KEPT,
        "It keeps counting, under a member nobody can be traced to.",
        path="voter__user",
        load=("diagnosis",),
        shown=(
            Shown("diagnosis", "diagnosis", _diagnosis),
            Shown("", "case", _case),
            "value",
            "reason",
            "explanation",
            "cast_at",
            "changed_at",
        ),
        withheld={"id": NUMBER, "voter": OWNER},
    ),
)
