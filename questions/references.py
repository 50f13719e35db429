"""The works a text refers to, and how they read."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sermo.citations import Work, work_at
from sermo.text import addresses, clip

MOST = 40  # of one text


@dataclass(frozen=True)
class Found:
    kind: str
    value: str


def found_in(text: str) -> list[Found]:
    """The works that Markdown names in words or leads to, each once, in the order of the text."""
    works = dict.fromkeys(filter(None, map(work_at, addresses(text))))
    return [Found(work.kind, work.value) for work in works][:MOST]


def address_of(kind: str, value: str) -> str:
    return Work(kind, value).address


def label_of(kind: str, value: str) -> str:
    """A work in few words: its number, or the host and the end of a path."""
    if kind == "url":
        parts = urlsplit(value)
        return clip(f"{parts.hostname}{parts.path.rstrip('/')}", 60)
    return {"pmid": "PMID {}", "doi": "doi:{}", "nct": "{}"}[kind].format(value)
