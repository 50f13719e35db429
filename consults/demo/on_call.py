"""Who is on call in the demonstration, and a few pages: sent by the cardiologist one can log in as, and to them."""

import uuid
from datetime import time, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Mail, Member, Specialty
from consults.models import Call, Case, Consent, OnCallWishes, Paging, Shift
from consults.services import calls, paging, shifts
from consults.written import read
from questions.models import Question
from questions.services import writing

STATEMENT = "There are no pictures, and nothing in the words tells who it is."
CARDIO, EMERGENCY = "cardio@demo.sermo.test", "emergency@demo.sermo.test"
PRACTICES = (
    *("Cardiovascular Disease", "Emergency Medicine", "Dermatology", "Internal Medicine", "Family Medicine"),
    *("Neurology", "Pediatrics", "Nephrology", "Infectious Disease", "Diagnostic Radiology"),
)
MOST_OF_ONE = 14  # members of one specialty with shifts
TICKED = 26  # minutes since the page that was accepted
OF_CARDIO = {
    "title": "Syncope on the last stair of a 10k, and a murmur nobody had heard before",
    "ask": "test",
    "age_band": "18-29",
    "sex": "male",
    "history": "A club runner fainted on the stairs after the finish. One uncle died young. No drugs, no chest pain.",
    "findings": "Systolic murmur that grows when he stands up. Deep T waves across the precordium. Troponin normal.",
    "tried": "Monitor for six hours, nothing. Told him to rest until we know.",
    "specialties": ("Cardiovascular Disease", "Emergency Medicine"),
    "urgency": "today",
}
TO_CARDIO = {
    "title": "Wide and regular at 170 in a woman with an old inferior infarct, awake and talking",
    "ask": "treat",
    "age_band": "60-69",
    "sex": "female",
    "history": "Palpitations for two hours. Infarct six years ago, ejection fraction then 40%. Takes metoprolol.",
    "findings": "Pressure 108/70, saturation 97%. Wide complex, regular, 170. Potassium and magnesium on their way.",
    "tried": "Oxygen, two lines, pads on. Vagal maneuvers did nothing.",
    "specialties": ("Emergency Medicine", "Cardiovascular Disease"),
    "urgency": "today",
}


def seed(stdout) -> None:
    """Plan the shifts and send the pages once; a second run changes nothing."""
    log_ins = {
        member.user.email: member for member in Member.objects.filter(user__email__in=[CARDIO, EMERGENCY])
    }
    if Shift.objects.exists() or len(log_ins) < 2:
        stdout.write("on call: here already")
        return
    with transaction.atomic():
        _page(log_ins[CARDIO], log_ins[EMERGENCY])
        for practice in PRACTICES:
            _plan(practice)
        _page_again(log_ins[CARDIO])
        Mail.objects.filter(notice__key__startswith="paging:").delete()  # nobody is written to about it
    stdout.write(f"on call: {Shift.objects.count()} shifts, {Paging.objects.count()} cases paged")


def _page(cardio: Member, emergency: Member) -> None:
    """As long as nobody else is on call the two page each other: one page waits, the other is accepted."""
    for member in (cardio, emergency):
        shifts.save_wishes(
            member=member,
            pages_a_shift=3,
            pages_a_week=10,
            takes_overflow=True,
            shows_handle=member == cardio,
        )
        shifts.make_available(member=member)
    paging.start(case=_case(emergency, TO_CARDIO), by=emergency, specialty=cardio.specialty, urgency="today")
    sent = paging.start(
        case=_case(cardio, OF_CARDIO), by=cardio, specialty=emergency.specialty, urgency="now"
    )
    if call := Call.objects.filter(paging=sent, member=emergency).first():
        calls.accept(call=call, member=emergency)
        _put_back(sent)


def _put_back(sent: Paging) -> None:
    """As if it had been paged a while ago, and accepted four minutes later."""
    earlier = timedelta(minutes=TICKED)
    Paging.objects.filter(pk=sent.pk).update(
        started_at=F("started_at") - earlier,
        first_heard_at=F("first_heard_at") - earlier + timedelta(minutes=4),
    )
    sent.calls.update(
        sent_at=F("sent_at") - earlier,
        seen_at=F("seen_at") - earlier + timedelta(minutes=3),
        decided_at=F("decided_at") - earlier + timedelta(minutes=4),
    )


def _page_again(cardio: Member) -> None:
    """For the same case the cardiologist's own specialty, which looks for somebody for three days."""
    case = Case.objects.get(question__title=OF_CARDIO["title"])
    paging.start(case=case, by=cardio, specialty=cardio.specialty, urgency="whenever")


def _plan(practice: str) -> None:
    """Each has two days a week, so that somebody is on call at any time; a third shows the handle."""
    members = Member.objects.filter(specialty__name=practice, standing=Member.Standing.PHYSICIAN)
    for number, member in enumerate(members.order_by("pk")[:MOST_OF_ONE]):
        for weekday in {number % 7, (number * 3 + 2) % 7}:
            shifts.add_weekly(
                member=member,
                weekday=weekday,
                from_time=time(8),
                to_time=time(8),
                time_zone="America/New_York",
                submission=uuid.uuid5(uuid.NAMESPACE_OID, f"{member.pk}:{weekday}"),
            )
        OnCallWishes.objects.get_or_create(
            member=member, defaults={"shows_handle": number % 3 == 0, "takes_overflow": number % 4 == 0}
        )


def _case(asker: Member, words: dict) -> Case:
    """A case without pictures."""
    said = read(
        {
            **words,
            "intent": "help",
            "specialties": _codes(words["specialties"]),
            "audience": "physicians",
            "care_under_way": "",
            "tags": "",
        }
    )
    consent = Consent.objects.create(
        member=asker,
        kind=Consent.Kind.DEIDENTIFIED,
        statement=STATEMENT,
        attested_at=timezone.now(),
    )
    question = writing.open_question(
        asker=asker,
        kind=Question.Kind.CASE,
        title=said.title,
        source=said.source,
        specialties=said.specialties,
        audience=said.audience,
        peers_only=True,
        answer_first=True,
        urgency=said.urgency,
    )
    return Case.objects.create(
        question=question,
        intent=said.intent,
        ask=said.ask,
        age_band=said.age_band,
        sex=said.sex,
        consent=consent,
    )


def _codes(names: tuple[str, ...]) -> list[str]:
    codes = dict(Specialty.objects.filter(is_choice=True, name__in=names).values_list("name", "code"))
    return [codes[name] for name in names]
