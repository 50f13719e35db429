"""What a NUCC taxonomy code says about its holder.

Codes of physicians are "20", seven characters, "X". New ones appear twice a year, so an unknown one of that
shape counts as a physician's. Three codes in the grouping are held by others; residents use the code for
students.
"""

import re
from functools import cache

RESIDENT = "390200000X"
NOT_PHYSICIANS = frozenset(
    {
        "204E00000X",  # oral and maxillofacial surgery: dentists
        "207SG0205X",  # PhD medical genetics
        "2085R0205X",  # radiological physics
    }
)
_PHYSICIAN = re.compile(r"20[0-9A-Z]{7}X")


@cache
def is_physician_code(code: str) -> bool:
    """Whether holders of a code are physicians."""
    return _PHYSICIAN.fullmatch(code) is not None and code not in NOT_PHYSICIANS
