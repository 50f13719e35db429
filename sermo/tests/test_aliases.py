"""The words of aliases."""

import pytest

from sermo import aliases
from sermo.identifiers.lexicon import MEDICAL, lexicon


@pytest.mark.parametrize("which", ["first", "second"])
def test_the_words_are_many_and_neither_names_nor_of_medicine(which):
    words, known = aliases.words(which), lexicon()

    assert len(words) == len(set(words)) >= 512
    assert not known.names & set(words)
    assert not (known.drugs | known.eponyms | known.capitals | known.towns) & set(words)
    assert not [word for word in words if MEDICAL.search(word)]


def test_the_words_stay_as_they_are():
    """With any word more or less, every firm would meet everybody under another alias."""
    assert [len(aliases.words(which)) for which in ("first", "second")] == [633, 731]
