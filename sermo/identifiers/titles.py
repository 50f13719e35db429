"""Names after a title, a role or a label, and in the cells of tables: those must go."""

import re
from collections.abc import Iterator

from sermo.identifiers.findings import STOP, Finding
from sermo.identifiers.lexicon import MEDICAL, SURNAME, WORDLIKE, fold, lexicon
from sermo.identifiers.people_forms import (
    CARET,
    CELL,
    CREDENTIAL,
    EPONYM_NEXT,
    FULL_RELATIVE,
    HONORIFIC,
    INITIALS,
    LABEL,
    LISTED,
    LOWER_LABEL,
    NOT_AFTER_A_TITLE,
    ORGANIZATION_NEXT,
    PARTICLE,
    PATIENT,
    REASON_LABEL,
    REASON_TITLE,
    ROLE,
    SPELLED_OUT,
    TITLE,
    TITLED,
    TITLED_LOWER,
)


def find(text: str) -> Iterator[Finding]:
    for match in TITLED.finditer(text):
        if end := _name_end(match["name"], strict=False):
            yield _titled(text, match, match.start("name") + end)
    for match in TITLED_LOWER.finditer(text):
        first, *rest = match["name"].split()
        if _could_be_name(first):
            end = match.start("name") + len(first)
            if rest and _could_be_name(rest[0]) and fold(rest[0]) in lexicon().names:
                end = match.end("name")
            yield _titled(text, match, end)
    for match in ROLE.finditer(text):
        if end := _name_end(match["name"], strict=True):
            weak = match["title"].lower() in {
                "father",
                "brother",
                "sister",
                "m",
                "pa",
                "np",
                "rn",
                "don",
                "dom",
                "pan",
                "private",
                "major",
                "baby",
                "therapist",
                "resident",
                "intern",
                "fellow",
                "provider",
                "physician",
                "teacher",
                "attending",
                "agent",
            }
            start = match.start("name") if weak else match.start()
            yield Finding(start, match.start("name") + end, "name", STOP, REASON_TITLE, "")
    for match in LABEL.finditer(text):
        if end := _name_end(match["name"], strict=True):
            yield Finding(match.start("name"), match.start("name") + end, "name", STOP, REASON_LABEL, "")
    for match in PATIENT.finditer(text):
        if EPONYM_NEXT.match(text, match.end("name")) or ORGANIZATION_NEXT.match(text, match.end("name")):
            continue
        if end := _name_end(match["name"], strict=True):
            yield Finding(match.start("name"), match.start("name") + end, "name", STOP, REASON_LABEL, "")
    for match in LOWER_LABEL.finditer(text):
        if end := _lower_name_end(match["name"]):
            yield Finding(match.start("name"), match.start("name") + end, "name", STOP, REASON_LABEL, "")
    for match in INITIALS.finditer(text):
        if match["name"].strip(". ") not in {
            "X",
            "Y",
            "Z",
            "A",
            "B",
            "C",
            "MD",
            "RN",
            "PT",
            "OT",
            "ED",
            "ER",
            "OR",
            "IV",
            "ICU",
            "HPI",
            "PMH",
            "CT",
            "MRI",
            "AF",
            "CKD",
            "COPD",
            "INR",
            "BP",
            "HR",
            "SOB",
            "TSH",
            "EF",
            "WBC",
            "ESR",
            "CRP",
            "BMI",
            "DNR",
            "NPO",
            "SNF",
            "AMS",
            "HTN",
            "ESRD",
            "DVT",
            "AKI",
            "NAD",
        }:
            yield Finding(*match.span("name"), "name", STOP, "Initials of a person.", "")
    for match in CREDENTIAL.finditer(text):
        if _name_end(match["name"], strict=True) == len(match["name"]):
            yield Finding(*match.span("name"), "name", STOP, REASON_TITLE, "a colleague")
    yield from _in_rows(text)
    for match in HONORIFIC.finditer(text):
        if fold(match["name"].split()[0].split("-")[0]) not in lexicon().english:
            yield Finding(*match.span("name"), "name", STOP, REASON_TITLE, "the patient")
    for match in SPELLED_OUT.finditer(text):
        if any(fold(part) in lexicon().names for part in re.findall(r"[^\W\d_]+", match["name"])):
            yield Finding(*match.span("name"), "name", STOP, REASON_LABEL, "")


def _in_rows(text: str) -> Iterator[Finding]:
    """Names in the cells of tables, before an age or a number, and beside a relative: all parts are of the lists."""
    names = lexicon().names
    for pattern in (FULL_RELATIVE, CELL, CARET, LISTED):
        for match in pattern.finditer(text):
            parts = [fold(part) for part in re.findall(r"[^\W\d_]{2,}", match["name"])]
            known = [part for part in parts if part in names or SURNAME.fullmatch(part)]
            plain = [
                part
                for part in parts
                if lexicon().is_word(part) or (part in lexicon().common and part not in lexicon().given)
            ]
            if len(parts) > 1 and len(known) > len(parts) / 2 and len(plain) < len(parts) / 2:
                yield Finding(*match.span("name"), "name", STOP, REASON_LABEL, "")


def _lower_name_end(name: str) -> int:
    """As _name_end, of words without capitals: only what the lists know as names and as nothing else."""
    words, end = lexicon(), 0
    for match in re.finditer(r"[^\s,]+", name):
        folded = fold(match[0]).removesuffix("'s").replace("'", "")
        surname = end and folded in words.family and folded not in NOT_AFTER_A_TITLE
        sure = (
            folded in words.names
            and folded not in words.english
            and (folded not in words.common or len(folded) > 4)
        )
        if not (surname or (sure and not MEDICAL.search(folded))):
            break
        end = match.end()
    return end


def _titled(text: str, match: re.Match, end: int) -> Finding:
    title = match["title"].lower()
    instead = "a colleague" if title in {"dr", "doctor", "prof", "professor", "drs"} else "the patient"
    if (
        match.start() == 0
        or text[max(0, match.start() - 2) : match.start()] in (". ", "? ", "! ")
        or text[match.start() - 1] == "\n"
    ):
        instead = instead[0].upper() + instead[1:]
    if text[end : end + 2] in ("'s", "’s"):
        instead, end = instead + "'s", end + 2
    return Finding(match.start(), end, "name", STOP, REASON_TITLE, instead)


def _could_be_name(word: str) -> bool:
    folded, words = fold(word), lexicon()
    if folded in words.names or folded.replace("'", "") in words.names:
        return word[0].isupper() or folded not in NOT_AFTER_A_TITLE
    return (
        not words.is_word(folded)
        and not words.is_term(folded)
        and not WORDLIKE.fullmatch(folded)
        and len(folded) > 2
    )


def _name_end(name: str, strict: bool) -> int:
    """How many letters of what follows a title or label are a name; 0 when none is."""
    end, words = 0, lexicon()
    for number, match in enumerate(re.finditer(r"[^\s,]+", name)):
        word = match[0].rstrip(".")
        folded = fold(word).removesuffix("'s")
        if end and re.fullmatch(TITLE, word):
            break
        if end and folded in {"jr", "sr", "ii", "iii"}:
            continue
        parts = [part for part in folded.split("-") if part]
        if re.fullmatch(PARTICLE, folded) or (len(word) == 1 and word.isupper()):
            if number == 0 and len(word) == 1:
                continue
            end = end if number == 0 else match.end() if len(word) == 1 else end
            continue
        if word.isupper() and (len(word) < 3 or (len(word) == 3 and folded not in words.names)):
            break
        named = any(part in words.names for part in parts)
        plain = all(
            words.is_word(part) or part in words.common or (words.is_term(part) and part not in words.names)
            for part in parts
        )
        if plain and not named and (strict or number or all(words.is_word(part) for part in parts)):
            break
        if (
            strict
            and plain
            and (number == 0 or not end)
            and not (folded in words.given and folded not in words.english)
        ):
            following = name[match.end() :].split()
            if not (following and fold(following[0]).strip(".,") in words.names):
                break
        if not strict and plain and number and folded in words.english and folded not in words.names:
            break
        end = match.end() - (len(match[0]) - len(match[0].rstrip(".'’")))
    if name[:end].endswith(("'s", "’s")):
        end -= 2
    return end
