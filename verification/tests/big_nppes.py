"""Synthetic NPPES files of any size, in the V2 layout, with the dirt that real files have.

    python -m verification.tests.big_nppes 400000 /tmp/big.csv

The same count and seed give the same bytes. Nobody in them exists: the numbers begin with 2, which the standard
allows and no public record uses.
"""

import csv
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from verification import npi

SAMPLE = Path(__file__).parent.parent / "data" / "samples" / "nppes_sample.csv"
WIDTH = 330
FIRST_SLOT, SLOT_WIDTH = 47, 4
LOCATION, MAILING = 28, 20

LAST_NAMES = [a + b for a in ("ASH", "BROM", "CALDER", "DUN", "EAST", "FEN", "GREY", "HAWK", "INGLE", "KIL", "LARK",
              "MAR", "NOR", "OAK", "PEM", "QUIN", "RAVEN", "STONE", "THORN", "WAIN") for b in ("BRIDGE", "BURY",
              "COMBE", "DALE", "FIELD", "FORD", "GROVE", "HURST", "LEIGH", "MERE", "MOOR", "RIDGE", "SHAW", "STEAD",
              "THWAITE", "WICK", "WOLD", "WORTH", "YARD", "HOLM")]  # fmt: skip
ACCENTED = ["MÜLLERSTEIN", "NUÑEZCO", "ØSTERHAUG", "DVOŘÁKOVA", "GARCÍALBA", "ÇELIKOR"]
FIRST_NAMES = ["AISHA", "ARJUN", "BEATRIX", "CHIDI", "CLARA", "DARIUSZ", "ELEANOR", "FATIMA", "GIDEON", "HIROSHI",
               "INGRID", "JAMES", "KALINDA", "LAURENCE", "MAGNUS", "NADIA", "OSCAR", "PRIYANKA", "QUENTIN", "ROSA",
               "SVEN", "TOMOKO", "URSULA", "VIKRAM", "WANDA", "XAVIER", "YUSUF", "ZAHRA"]  # fmt: skip
PLACES = [
    ("TAMPA", "FL", "33601", "ME{:06d}"),
    ("AUSTIN", "TX", "78701", "P{:04d}"),
    ("ALBANY", "NY", "12201", "{:06d}"),
    ("SPRINGFIELD", "IL", "62701", "036{:06d}"),
    ("SACRAMENTO", "CA", "95801", "A{:06d}"),
    ("COLUMBUS", "OH", "43201", "35.{:06d}"),
    ("LANSING", "MI", "48901", "4301{:06d}"),
]
CODES = ["207R00000X", "207Q00000X", "208000000X", "2084P0800X", "207P00000X", "207V00000X", "208600000X"]
OTHER_CODES = ["363L00000X", "163W00000X", "111N00000X", "103T00000X", "1223G0001X"]


@dataclass
class Written:
    """What a file holds, counted while it was written; `rejected` and `merged` are what an import should find."""

    rows: int = 0
    physicians: int = 0
    residents: int = 0
    stubs: int = 0
    skipped: int = 0
    rejected: int = 0
    merged: int = 0
    conflicts: int = 0


def header() -> list[str]:
    with SAMPLE.open(encoding="utf-8", newline="") as lines:
        return next(csv.reader(lines))


def write(path: Path | str, rows: int, seed: int = 1) -> Written:
    """Write `rows` rows: 48 % physicians, then residents, organizations, others, stubs and a few percent of dirt."""
    draw = random.Random(seed)
    written = Written(rows=rows)
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write(_line(header()))
        earlier: list[str] | None = None
        for number in range(rows):
            lot = draw.random()
            if lot < 0.005 and earlier:
                out.write(_line(_again(earlier, draw, written)))
                earlier = None
                continue
            fields = _fields(lot, number, draw, written)
            if fields[1] == "1" and fields[FIRST_SLOT] in CODES and lot > 0.05:
                earlier = fields
            out.write(_line(fields))
    return written


def _fields(lot: float, number: int, draw: random.Random, written: Written) -> list[str]:
    fields = [""] * WIDTH
    first_nine = str(200_000_000 + number)
    fields[0] = first_nine + npi.check_digit(first_nine)
    if lot < 0.010:
        fields[39] = f"{draw.randint(1, 12):02d}/{draw.randint(1, 28):02d}/20{draw.randint(10, 25)}"
        written.stubs += 1
    elif lot < 0.49:
        _person(fields, draw, draw.choice(CODES), written)
        _dirt(fields, lot, draw, written)
    elif lot < 0.52:
        _person(fields, draw, "390200000X", written)
        written.residents += 1
    elif lot < 0.72:
        _organization(fields, draw)
        written.skipped += 1
    else:
        _person(fields, draw, draw.choice(OTHER_CODES), written)
        written.skipped += 1
    return fields


def _person(fields: list[str], draw: random.Random, code: str, written: Written) -> None:
    city, state, postal, shape = draw.choice(PLACES)
    number = draw.randint(1, 9_999 if state == "TX" else 999_999)
    fields[1], fields[5], fields[6] = "1", draw.choice(LAST_NAMES), draw.choice(FIRST_NAMES)
    fields[7], fields[10], fields[41] = draw.choice("ABCDEFGHJKLM"), draw.choice(["MD", "M.D.", "DO"]), "F"
    if draw.random() < 0.08:
        fields[13], fields[14], fields[19] = draw.choice(LAST_NAMES), fields[6], "1"
    _addresses(fields, draw, city, state, postal)
    fields[FIRST_SLOT : FIRST_SLOT + SLOT_WIDTH] = [
        code,
        "" if code == "390200000X" else shape.format(number),
        state,
        "Y",
    ]
    if draw.random() < 0.25 and code in CODES:
        _, state, _, shape = draw.choice(PLACES)
        start = FIRST_SLOT + SLOT_WIDTH
        fields[start : start + SLOT_WIDTH] = [
            draw.choice(CODES),
            shape.format(draw.randint(1, 9_999)),
            state,
            "N",
        ]
    fields[107:111] = ["SYN00001", "01", fields[LOCATION + 3], "SYNTHETIC TEST DATA - NOT A REAL PROVIDER"]
    fields[307] = "N"


def _organization(fields: list[str], draw: random.Random) -> None:
    city, state, postal, _ = draw.choice(PLACES)
    fields[1], fields[4] = "2", f"{draw.choice(LAST_NAMES)} MEDICAL GROUP PLLC"
    fields[42:47] = [draw.choice(LAST_NAMES), draw.choice(FIRST_NAMES), "", "OFFICE MANAGER", "8135550100"]
    _addresses(fields, draw, city, state, postal)
    fields[FIRST_SLOT : FIRST_SLOT + SLOT_WIDTH] = [draw.choice(CODES), "", "", "Y"]
    fields[308] = "N"


def _addresses(fields: list[str], draw: random.Random, city: str, state: str, postal: str) -> None:
    phone = f"8135550{draw.randint(100, 199)}"
    for start in (MAILING, LOCATION):
        street = f"{draw.randint(1, 9999)} {draw.choice(LAST_NAMES)} AVE"
        fields[start : start + 8] = [
            street,
            "STE 100",
            city,
            state,
            f"{postal}{draw.randint(1, 9999):04d}",
            "US",
            phone,
            "",
        ]
    fields[36] = f"{draw.randint(1, 12):02d}/{draw.randint(1, 28):02d}/20{draw.randint(6, 24):02d}"
    fields[37] = f"{draw.randint(1, 12):02d}/{draw.randint(1, 28):02d}/2025"


def _dirt(fields: list[str], lot: float, draw: random.Random, written: Written) -> None:
    if lot < 0.015:  # a wrong check digit
        fields[0] = fields[0][:9] + str((int(fields[0][9]) + draw.randint(1, 9)) % 10)
        written.rejected += 1
        return
    written.physicians += 1
    if lot < 0.025:
        fields[7] = 'J "JACK"'
    elif lot < 0.030:
        fields[LOCATION + 1] = "BUILDING A\nSTE 100"
    elif lot < 0.040:
        fields[5] = draw.choice(ACCENTED)
    elif lot < 0.045:
        fields[FIRST_SLOT + 1] = draw.choice(["$$$$$$$$$", "*********", "_________"])
    elif lot < 0.047:
        fields[36] = "13/45/2010"


def _again(earlier: list[str], draw: random.Random, written: Written) -> list[str]:
    """The same NPI once more: updated later, earlier, or on the same day under another name."""
    fields = list(earlier)
    kind = draw.randrange(3)
    if kind == 2:
        fields[5] += "SON"
        written.conflicts += 1
    else:
        fields[37] = ("01/01/2024", "12/30/2025")[kind]
    written.merged += 1
    return fields


def _line(fields: list[str]) -> str:
    text = '","'.join(fields)
    if text.count('"') != 2 * (WIDTH - 1):
        text = '","'.join(field.replace('"', '""') for field in fields)
    return f'"{text}"\n'


if __name__ == "__main__":
    print(write(sys.argv[2], int(sys.argv[1])))
