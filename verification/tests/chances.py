"""How far counts may stray from what chance would give."""

from collections import Counter

CHI_SQUARE_OF_SIX = 22.1  # five degrees of freedom: passed by chance once in 2,000 times


def chi_square(counts: Counter, cells: int = 6) -> float:
    """How far counts of the cells 0, 1, ... stray from all being alike."""
    expected = counts.total() / cells
    return sum((counts[cell] - expected) ** 2 / expected for cell in range(cells))
