"""What only some read, and what everybody reads: two private consults, and the story of a solved case.

One consult was accepted and answered; into the other the cardiologist one can log in as is asked just now.
"""

import random

from django.db import transaction
from django.utils import timezone

from accounts.models import Member, User
from consults.demo import seeding
from consults.models import Case, Story
from consults.services import replies, stories
from questions.demo.seeding import Cast
from questions.models import Invitation, Question
from questions.services import inviting
from sermo.errors import RuleBroken

SEED = 20261124
CARDIOLOGIST = "cardio@demo.sermo.test"
CASES = (
    {
        "ask": "ekg",
        "title": "Fainted on the stairs, and I do not like this tracing",
        "specialties": ["Emergency Medicine", "Cardiovascular Disease"],
        "asker": "Emergency Medicine",
        "age_days": 0.02,
        "age_band": "50-59",
        "sex": "male",
        "history": "Went down without warning on the second flight, awake again at once. No chest pain. Nobody in the "
        "family died young. One drug, for reflux.",
        "findings": "Well now. Pressure 128 over 76, lying and standing. Two troponins normal.",
        "tried": "Telemetry for four hours; no event.",
        "picture": {
            "draw": "ekg",
            "description": "Twelve leads of an EKG at 25 mm per second.",
            "keep": "values",
        },
    },
    {
        "ask": "what",
        "title": "A mole I would leave, and she would not",
        "specialties": ["Family Medicine", "Dermatology"],
        "asker": "Family Medicine",
        "age_days": 0.3,
        "age_band": "30-39",
        "sex": "female",
        "history": "A mole on the calf, there for years. She thinks that it has changed since the summer. Fair skin, "
        "many burns as a child.",
        "findings": "6 mm, two shades of brown, a regular net. No bleeding.",
        "tried": "Nothing yet.",
        "picture": {
            "draw": "dermoscopy",
            "description": "A brown mole under the dermatoscope, two shades, with a net that thins toward the edge.",
        },
    },
)
ANSWER = {
    "diagnosis": "Dysplastic nevus",
    "confidence": 70,
    "next_step": "Take it out whole, with a narrow margin, and have all of it looked at.",
    "comment": "The net thins on one side and not on the other, and she noticed a change: that is the best sign there "
    "is.",
}
STORY_TITLE = "The answer was in a question nobody had asked"
STORY = (
    "A physician was at a loss. The usual tests were normal, the usual treatment had not helped, and the patient felt "
    "worse each week. So the case went to colleagues: a picture, a few lines, one question.\n\n"
    "The first answers came before the coffee was cold. Three specialists looked at the same picture and each saw "
    "something else in it. What settled it was a fourth, who asked about something that nobody had thought to ask. The "
    "answer was yes, and with it everything fell into place.\n\n"
    "One more test confirmed it. The treatment was simple, and a month later the patient was back at work. The "
    "physician who had asked wrote to the others that evening: I will ask that question from now on."
)


@transaction.atomic
def seed(stdout) -> None:
    """Write them once; a second run changes nothing."""
    if Invitation.objects.exists() or Story.objects.exists():
        stdout.write("private consults and stories: here already")
        return
    cast = Cast(random.Random(SEED))  # noqa: S311 - the same every time is the purpose
    invited = User.objects.filter(email=CARDIOLOGIST).select_related("member").first()
    first, second = [_private(cast, entry) for entry in CASES]
    if invited:
        _ask(first, invited.member)
    _answered(second, cast)
    told = _story()
    stdout.write(f"private consults: 2, with {Invitation.objects.count()} invitations; stories: {told}")


def _private(cast, entry: dict) -> Case:
    """A case as others are written, closed to all but its asker."""
    picture = entry["picture"]
    whole = {
        **entry,
        "urgency": "today",
        "byline": "anonymous",
        "pictures": [picture],
        "importance": 3.0,
        "ratings": 0,
        "tags": [],
    }
    case = seeding.Scribe(cast, whole, seeding._prepare(whole), timezone.now()).publish()
    Question.objects.filter(pk=case.pk).update(audience=Question.Audience.INVITED)
    return Case.objects.select_related("question__asker").get(pk=case.pk)


def _ask(case: Case, member: Member) -> Invitation | None:
    try:
        made = inviting.invite(question=case.question, by=case.question.asker, members=[member])
    except RuleBroken:  # it is the asker's own, or a block parts them
        return None
    return made[0] if made else None


def _answered(case: Case, cast) -> None:
    """One dermatologist accepted and answered."""
    author = cast.next_of("Dermatology", mode="anonymous", besides={case.question.asker_id})
    if invitation := _ask(case, author):
        inviting.accept(invitation=invitation, member=author)
        replies.reply(case=case, author=author, byline="anonymous", **ANSWER)


def _story() -> int:
    """Tell how the newest of the solved cases was solved."""
    rows = Case.objects.filter(
        question__solved_at__isnull=False,
        question__audience=Question.Audience.PHYSICIANS,
        withdrawn_at=None,
        intent=Case.Intent.HELP,
    )
    case = rows.exclude(question__status="removed").order_by("-question__solved_at").first()
    if case is None:
        return 0
    seeding.have_signed(case.consent, for_stories=True)
    story = stories.write(case=case, by=case.question.asker, title=STORY_TITLE, source=STORY)
    moderator = User.objects.filter(groups__name="Moderators").exclude(member=case.question.asker).first()
    if moderator:
        stories.publish(story=story, by=moderator)
    return 1
