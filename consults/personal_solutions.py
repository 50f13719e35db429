"""What a person said their cases turned out to be, for the ledger of personal data."""

from accounts.leaving.ledger import Entry, Fate, Shown

ENTRIES = (
    Entry(
        "consults.Solution",
        "What your cases turned out to be",
        Fate.KEPT,
        "A part of the case, by which colleagues learn whether they were right.",
        path="case__question__asker__user",
        load=("diagnosis",),
        shown=(
            Shown("case", "case", lambda solution: solution.case_id),
            Shown("diagnosis", "diagnosis", lambda solution: solution.diagnosis.name),
            "confirmed",
            "stated_at",
        ),
    ),
)
