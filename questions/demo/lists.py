"""What the log-ins of the demonstration keep: folders, saved filters, a muted topic; and tags with synonyms."""

from django.db import transaction
from django.utils.text import slugify

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import Member
from questions.models import BookmarkFolder, Question, Tag
from questions.services import bookmarks, saved

FOLDERS = ("For journal club", "To show the residents")
FILTERS = {
    "Mine, waiting": "sort=new&status=unanswered&specialty=mine",
    "Solved this month": "status=solved&time=month",
    "What colleagues observe": "kind=observation&sort=active",
}
SYNONYMS = {
    "blood thinners": "anticoagulation",
    "adverse drug reactions": "drug reactions",
    "elderly": "older adults",
    "uti": "urinary tract infection",
    "staph aureus": "staphylococcus aureus",
    "immunization": "vaccines",
}
KEPT = 7  # discussions of each


@transaction.atomic
def seed(stdout) -> None:
    """Fill the lists of the log-ins once; a second run changes nothing."""
    if BookmarkFolder.objects.exists():
        stdout.write("lists: here already")
        return
    synonyms = _name_synonyms()
    cast = list(Member.objects.physicians().filter(user__email__in=DEMO_LOGINS).order_by("pk"))
    for member in cast:
        _save_discussions(member)
        for name, query in FILTERS.items():
            saved.save(member=member, place="list", query=query, name=name)
    stdout.write(f"lists: {synonyms} synonyms of tags, folders and filters of {len(cast)} log-ins")


def _name_synonyms() -> int:
    """Other words for tags, as a moderator's merge leaves them."""
    made = 0
    for name, canonical in SYNONYMS.items():
        tag = Tag.objects.filter(name=canonical, merged_into=None).first()
        if tag:
            of = {"name": name, "merged_into": tag}
            made += Tag.objects.get_or_create(slug=slugify(name), defaults=of)[1]
    return made


def _save_discussions(member: Member) -> None:
    """The hottest discussions of others: some in each folder, some in none."""
    folders = [*(bookmarks.make_folder(member=member, name=name) for name in FOLDERS), None]
    rows = Question.objects.visible_to(member.user).exclude(asker=member).order_by("-hot", "pk")[:KEPT]
    for place, question in enumerate(rows):
        bookmarks.save(member=member, question=question, folder=folders[place % len(folders)])
