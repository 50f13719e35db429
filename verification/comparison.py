"""A claim and the registry's record side by side, for a reviewer."""

from dataclasses import dataclass

from accounts.models import Specialty
from verification import licenses
from verification.letters import Letters, compare
from verification.models import Claim, Provider
from verification.names import ACCEPT, REVIEW, PersonName, first_key, last_key, name_score
from verification.registry import record_now


@dataclass(frozen=True)
class Row:
    """What was typed and what the registry has. `differs` is None where there is nothing to compare."""

    label: str
    typed: str
    registry: str
    differs: bool | None = None
    names: tuple[str, str] = ("the claim", "the registry")

    @property
    def is_of_both(self) -> bool:
        """Whether there is something to compare; else only one side says it."""
        return bool(self.typed) or self.differs is not None

    @property
    def letters(self) -> Letters | None:
        """Both spellings letter by letter, where they differ and there are two."""
        return (
            compare(self.typed, self.registry, names=self.names)
            if self.differs and self.typed and self.registry
            else None
        )

    @property
    def compared(self) -> str:
        """The comparison in words; nothing where there was nothing to compare."""
        if self.differs is None:
            return ""
        if self.differs:
            return self.letters.words if self.letters else f"not in {self.names[0 if self.registry else 1]}"
        if not self.typed:
            return f"fits {self.names[0]}"
        is_written_alike = self.typed.casefold() == self.registry.casefold()
        return "agrees" if is_written_alike else "agrees, written otherwise"


def rows_of(claim: Claim) -> list[Row]:
    """Every fact of a claim beside the registry's, as it was when the claim was started."""
    typed, record = claim.typed, claim.registry
    if record is None:
        return [Row(label, typed[key], "") for label, key in _TYPED]
    rows = [*_names(typed, record), *_numbers(typed, record), *_registry_only(record)]
    return [row for row in rows if row.typed or row.registry]


_TYPED = [
    ("Last name", "last"),
    ("First name", "first"),
    ("Middle name", "middle"),
    ("Degree", "degree"),
    ("License state", "state"),
    ("License number", "license_number"),
    ("NPI", "npi"),
]


def rows_of_two(holder: Claim, rival: Claim) -> list[Row]:
    """What two people typed to be the same physician, side by side."""
    rows = []
    for label, key in _TYPED:
        one, other = holder.typed[key], rival.typed[key]
        differs = one.casefold() != other.casefold() if one and other else None
        if one or other:
            rows.append(Row(label, one, other, differs, names=("the verified claim", "the new claim")))
    return rows


_FACTS = [
    ("Last name", "last_name"),
    ("First name", "first_name"),
    ("Middle name", "middle_name"),
    ("Other last name", "other_last_name"),
    ("Other first name", "other_first_name"),
    ("Credential", "credential"),
    ("Practice state", "practice_state"),
    ("Deactivated", "deactivated_on"),
    ("Reactivated", "reactivated_on"),
    ("Updated", "updated_on"),
]


def rows_then_and_now(claim: Claim) -> list[Row]:
    """The registry's record as it was for the last decision beside that of today; alone, where there was none then."""
    then = claim.registry or {}
    now = record_now(then.get("npi") or claim.typed["npi"])
    facts = [("NPI", then.get("npi") or claim.typed["npi"], now.get("npi") or "gone")]
    facts += [(label, then.get(key) or "", now.get(key) or "") for label, key in _FACTS]
    facts.append(("Licenses", _license_list(then), _license_list(now)))
    names = ("the last decision", "today")
    return [
        Row(label, was, is_now, was != is_now if then else None, names)
        for label, was, is_now in facts
        if was or is_now
    ]


def _license_list(record: dict) -> str:
    slots = [f"{slot['state']} {slot['number']}".strip() for slot in record.get("licenses", [])]
    return ", ".join(dict.fromkeys(slot for slot in slots if slot))


def score_in_words(score: float | None) -> str:
    """What the score of the names says, with its bounds."""
    if score is None:
        return "Names were not compared: nobody in the registry to compare with."
    if score == 1:
        return f"Name score {score:.3f}: the names are equal."
    if score >= ACCEPT:
        return f"Name score {score:.3f}: close enough to be taken for the same name (from {ACCEPT} on)."
    if score >= REVIEW:
        return f"Name score {score:.3f}: close, and for a person to judge (between {REVIEW} and {ACCEPT})."
    return f"Name score {score:.3f}: another name (below {REVIEW})."


def _names(typed: dict, record: dict) -> list[Row]:
    other = " ".join(part for part in (record["other_first_name"], record["other_last_name"]) if part)
    has_middle_names = typed["middle"] and record["middle_name"]
    initials_differ = (
        first_key(typed["middle"])[:1] != first_key(record["middle_name"])[:1] if has_middle_names else None
    )
    return [
        Row(
            "Last name",
            typed["last"],
            record["last_name"],
            last_key(typed["last"]) != last_key(record["last_name"]),
        ),
        Row(
            "First name",
            typed["first"],
            record["first_name"],
            first_key(typed["first"]) != first_key(record["first_name"]),
        ),
        Row("Middle name", typed["middle"], record["middle_name"], initials_differ),
        Row("Former or other name", "", other, _fits_other_name(typed, record) if other else None),
    ]


def _fits_other_name(typed: dict, record: dict) -> bool:
    other = PersonName(
        record["other_last_name"] or record["last_name"], record["other_first_name"] or record["first_name"]
    )
    return name_score(PersonName(typed["last"], typed["first"], typed["middle"]), other).verdict != "accepted"


def _numbers(typed: dict, record: dict) -> list[Row]:
    in_state = [
        each["number"] for each in record["licenses"] if each["state"] == typed["state"] and each["number"]
    ]
    known = {licenses.normal_number(typed["state"], number) for number in in_state}
    fits = bool(known & set(licenses.candidate_keys(typed["state"], typed["license_number"])))
    credential = record["credential"]
    return [
        Row("Degree", typed["degree"], credential, _degree_differs(typed["degree"], credential)),
        Row(
            f"License, {typed['state']}",
            typed["license_number"],
            ", ".join(sorted(set(in_state))) or "none in this state",
            not fits if typed["license_number"] else not in_state,
        ),
        Row("NPI", typed["npi"], record["npi"], typed["npi"] != record["npi"] if typed["npi"] else None),
    ]


def _degree_differs(degree: str, credential: str) -> bool | None:
    known = Provider(credential=credential).degree
    return known != degree if known else None


def _registry_only(record: dict) -> list[Row]:
    names = dict(
        Specialty.objects.filter(code__in=[each["taxonomy"] for each in record["licenses"]]).values_list(
            "code", "name"
        )
    )
    education = record.get("education") or {}
    elsewhere = [f"{each['state']} {each['number']}" for each in record["licenses"] if each["number"]]
    school = education.get("school") or education.get("school_text") or ""
    facts = {
        "Specialties": ", ".join(
            dict.fromkeys(names.get(each["taxonomy"], each["taxonomy"]) for each in record["licenses"])
        ),
        "All licenses": ", ".join(dict.fromkeys(elsewhere)),
        "Practice": " ".join(
            str(record[key]) for key in ("practice_city", "practice_state", "practice_zip") if record[key]
        ),
        "Phone, fax": " ".join(str(record[key]) for key in ("practice_phone", "practice_fax") if record[key]),
        "School, year": f"{school} {education.get('grad_year') or ''}".strip(),
        "NPI given on": record["enumerated_on"] or "",
        "Last update": record["updated_on"] or "",
        "Deactivated on": record["deactivated_on"] or "",
    }
    return [Row(label, "", text) for label, text in facts.items() if text]
