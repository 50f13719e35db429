"""What the demonstration's firms asked in the open: two questions, and a poll that is running."""

from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from django.utils import timezone

from accounts.models import Member, Specialty
from observers.models import IndustryPost, Seat
from observers.services import asking, sponsoring
from polls.models import Poll
from polls.services.opening import Plan
from questions.models import Post, Question
from questions.services import writing
from rewards.services import ledger

QUESTIONS = [
    (
        "pharma",
        "Which trial outcome would change how you dose in dialysis?",
        "We are designing a trial of a factor XI inhibitor in hemodialysis. Which end point would you act on: major "
        "bleeding, access thrombosis, or all-cause death? The protocol goes to its committee in spring.",
        ["Nephrology", "Cardiovascular Disease"],
        [
            "Access thrombosis. It is what brings my patients back, and what no trial has looked at.",
            "Major bleeding by a definition that counts transfusions. Death will be far too rare for your sample.",
        ],
    ),
    (
        "device",
        "What makes you give up on a home blood pressure cuff?",
        "We make cuffs and hear from patients only. What do you see: fit, readings that nobody believes, or the app?",
        ["Family Medicine", "Internal Medicine"],
        ["Fit. One size for all arms means that half of the readings are wrong."],
    ),
]
POLLS = [
    (
        "pharma",
        "When do you check a DOAC level before surgery?",
        "",
        ["Anesthesiology", "Cardiovascular Disease"],
        ("Never", "When clearance is poor", "Before every high-risk operation"),
        5,
    ),
]


def seed() -> None:
    for kind, title, source, specialties, answers in QUESTIONS:
        seat = _seat(kind)
        if seat:
            _question(seat, title, source, _named(specialties), answers)
    for kind, title, source, specialties, options, days in POLLS:
        seat = _seat(kind)
        if seat:
            _poll(seat, title, source, _named(specialties), options, days)


def _seat(kind: str) -> Seat | None:
    return (
        Seat.objects.active()
        .filter(firm__kind=kind)
        .select_related("firm")
        .order_by("firm", "number")
        .first()
    )


def _named(names: list[str]) -> list[Specialty]:
    return list(Specialty.objects.filter(is_choice=True, name__in=names))


def _key(title: str):
    return uuid5(NAMESPACE_URL, f"sermo:demo:{title}")


def _question(seat, title, source, specialties, answers) -> None:
    if IndustryPost.objects.filter(key=_key(title)).exists():
        return
    question = asking.ask(seat=seat, title=title, source=source, specialties=specialties, key=_key(title))
    authors = _colleagues(specialties, len(answers))
    for author, said in zip(authors, answers, strict=False):
        writing.answer(question=question, author=author, source=said)
    _grow_old(question, days=4)


def _poll(seat, title, source, specialties, options, days) -> None:
    if IndustryPost.objects.filter(key=_key(title)).exists():
        return
    plan = Plan(kind=Poll.Kind.SINGLE, options=options, days=days)
    if ledger.firm_balance(seat.firm).balance < 30_000:
        return
    poll = sponsoring.open_poll(
        seat=seat,
        title=title,
        source=source,
        specialties=specialties,
        plan=plan,
        honorarium=300,
        quota=50,
        key=_key(title),
    )
    _grow_old(poll.question, days=2)


def _colleagues(specialties, number: int):
    return Member.objects.physicians().filter(specialty__in=specialties).order_by("pk")[:number]


def _grow_old(question: Question, *, days: int) -> None:
    moment = timezone.now() - timedelta(days=days)
    Question.objects.filter(pk=question.pk).update(opened_at=moment, activity_at=moment + timedelta(hours=9))
    IndustryPost.objects.filter(question=question).update(made_at=moment)
    Poll.objects.filter(question=question).update(opened_at=moment)
    Post.objects.filter(question=question, kind=Post.Kind.OPENING).update(posted_at=moment)
    Post.objects.filter(question=question, kind=Post.Kind.ANSWER).update(
        posted_at=moment + timedelta(hours=9)
    )
