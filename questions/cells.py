"""Which small counts may be shown without saying how one person voted."""

LEAST = 5


def safe_cells(counts: dict[str, int], *, least: int = LEAST) -> dict[str, int]:
    """The counts of at least five, largest first, as long as the rest cannot be computed as a small number either.

    Whoever knows the total knows the rest by subtraction, so a rest of one to four takes the smallest shown cell
    with it (complementary suppression).
    """
    total = sum(counts.values())
    shown = dict(
        sorted(
            ((name, count) for name, count in counts.items() if count >= least), key=lambda c: (-c[1], c[0])
        )
    )
    while shown and 0 < total - sum(shown.values()) < least:
        shown.popitem()
    return shown
