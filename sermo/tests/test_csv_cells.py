import pytest

from sermo.csv_cells import harmless, line_of


@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@A1", "＝1", "＋1", "－1", "＠A1", "\t1", "\r1", "\n1", " =1", "\u3000＝1"]
)
def test_no_cell_begins_a_formula(cell):
    assert harmless(cell) == f"'{cell}"
    assert harmless(f"x{cell}") == f"x{cell}"


def test_every_cell_is_quoted():
    assert line_of([12, "a, b", 'say "x"', ""]) == '"12","a, b","say ""x""",""\r\n'
