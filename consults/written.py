"""What was typed into the form of a case, read back from a draft."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import Specialty
from consults.models import Case, Diagnosis, Solution
from questions.models import Question
from questions.services import inviting
from sermo.errors import RuleBroken

PARTS = (("history", "History"), ("findings", "Findings"), ("tried", "Tried so far"))
NAMES = (
    *("title", "intent", "ask", "age_band", "sex", "history", "findings", "tried"),
    *("solution", "final_diagnosis", "confirmed"),
    *("urgency", "care_under_way", "specialties", "tags"),
    *("audience", "invited", "byline", "byline_confirmed"),
)
LONGEST_DIAGNOSIS = Diagnosis._meta.get_field("name").max_length


class Incomplete(RuleBroken):
    """`field` is what is missing first."""

    def __init__(self, field: str):
        super().__init__("The case is not complete yet. Fill in what is marked.")
        self.field = field


@dataclass(frozen=True)
class Written:
    """A case that is complete. `specialties` in the order chosen. Only one that teaches has its last three texts."""

    title: str
    intent: str
    ask: str
    age_band: str
    sex: str
    history: str
    findings: str
    tried: str
    solution: str
    final_diagnosis: str
    confirmed: str
    urgency: str
    care_under_way: bool
    specialties: tuple[Specialty, ...]
    tags: tuple[str, ...]
    audience: str
    byline: str | None
    byline_confirmed: bool
    invited: tuple[str, ...] = ()  # the handles of those it is put to alone

    @property
    def source(self) -> str:
        """The opening post, in Markdown."""
        said = [f"**{label}.** {getattr(self, name)}" for name, label in PARTS if getattr(self, name)]
        return "\n\n".join([*said, f"**{Case.Ask(self.ask).label}**"])

    @property
    def texts(self) -> tuple[str, ...]:
        """All that readers will read, for the check of identifiers."""
        said = (self.title, self.history, self.findings, self.tried, self.solution, self.final_diagnosis)
        return (*said, *self.tags)


def read(fields: Mapping[str, Any]) -> Written:
    """The values a form kept in a draft (strings, lists of strings), as a case. Raises Incomplete."""

    def text(name: str, *, needed: bool = False) -> str:
        value = str(fields.get(name) or "").strip()
        if needed and not value:
            raise Incomplete(name)
        return value

    def one_of(name: str, choices) -> str:
        value = text(name, needed=True)
        if value not in choices.values:
            raise Incomplete(name)
        return value

    intent = one_of("intent", Case.Intent)
    chosen = [code for code in fields.get("specialties") or [] if code]
    known = Specialty.objects.filter(is_choice=True).in_bulk(chosen)
    specialties = tuple(known[code] for code in chosen if code in known)
    if not 1 <= len(specialties) <= 3:
        raise Incomplete("specialties")
    urgency = one_of("urgency", Question.Urgency)
    care = bool(fields.get("care_under_way"))
    if urgency == Question.Urgency.NOW and not care:
        raise Incomplete("care_under_way")
    tags = str(fields.get("tags") or "").replace(";", ",").split(",")
    teaches = intent == Case.Intent.TEACHING
    final = " ".join(text("final_diagnosis", needed=True).split()) if teaches else ""
    if len(final) > LONGEST_DIAGNOSIS:
        raise Incomplete("final_diagnosis")
    return Written(
        title=" ".join(text("title", needed=True).split()),
        intent=intent,
        ask=one_of("ask", Case.Ask),
        age_band=one_of("age_band", Case.AgeBand),
        sex=one_of("sex", Case.Sex),
        history=text("history", needed=True),
        findings=text("findings"),
        tried=text("tried"),
        solution=text("solution", needed=True) if teaches else "",
        final_diagnosis=final,
        confirmed=one_of("confirmed", Solution.Confirmed) if teaches else "",
        urgency=urgency,
        care_under_way=care and urgency == Question.Urgency.NOW,
        specialties=specialties,
        tags=tuple(name.strip() for name in tags if name.strip()),
        audience=one_of("audience", Question.Audience),
        byline=text("byline") or None,
        byline_confirmed=bool(fields.get("byline_confirmed")),
        invited=_invited(one_of("audience", Question.Audience), text("invited")),
    )


def _invited(audience: str, typed: str) -> tuple[str, ...]:
    if audience != Question.Audience.INVITED:
        return ()
    if not (handles := inviting.handles_in(typed)):
        raise Incomplete("invited")
    return tuple(handles)
