"""What a member saves, in folders of their own. Nobody else sees it."""

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import Member
from questions.models import Bookmark, BookmarkFolder, Question
from sermo.errors import RuleBroken

LONGEST_NAME = 40  # characters


class TooManySaved(RuleBroken):
    message = f"You saved {settings.MOST_BOOKMARKS:,} discussions, the most there can be. Let one go first."


class TooManyFolders(RuleBroken):
    message = f"There are {settings.MOST_FOLDERS} folders, the most there can be. Delete one first."


class NameTaken(RuleBroken):
    message = "You have a folder of this name."


class NoName(RuleBroken):
    message = f"Give the folder a name of 1 to {LONGEST_NAME} characters."


class NotYourFolder(RuleBroken):
    message = "This folder is not yours."


@transaction.atomic
def save(*, member: Member, question: Question, folder: BookmarkFolder | None = None) -> Bookmark:
    """Keep a discussion; one that is saved stays where it is, unless a folder is named.

    Raises TooManySaved, NotYourFolder.
    """
    _lock(member)
    _check_own(member, folder)
    known = Bookmark.objects.filter(member=member, question=question).first()
    if known:
        return move(bookmark=known, folder=folder) if folder else known
    if Bookmark.objects.filter(member=member).count() >= settings.MOST_BOOKMARKS:
        raise TooManySaved
    return Bookmark.objects.create(member=member, question=question, folder=folder)


def unsave(*, member: Member, question: Question) -> None:
    Bookmark.objects.filter(member=member, question=question).delete()


def move(*, bookmark: Bookmark, folder: BookmarkFolder | None) -> Bookmark:
    """Put what is saved into another folder, or into none. Raises NotYourFolder."""
    _check_own(bookmark.member, folder)
    bookmark.folder = folder
    bookmark.save(update_fields=["folder"])
    return bookmark


@transaction.atomic
def make_folder(*, member: Member, name: str) -> BookmarkFolder:
    """Raises NoName, NameTaken, TooManyFolders."""
    _lock(member)
    if BookmarkFolder.objects.filter(member=member).count() >= settings.MOST_FOLDERS:
        raise TooManyFolders
    return _named(BookmarkFolder(member=member), name)


def rename_folder(*, folder: BookmarkFolder, name: str) -> BookmarkFolder:
    """Raises NoName, NameTaken."""
    return _named(folder, name)


def delete_folder(*, folder: BookmarkFolder) -> None:
    """What it held stays saved, in no folder."""
    folder.delete()


def _named(folder: BookmarkFolder, name: str) -> BookmarkFolder:
    name = " ".join(name.replace("\x00", " ").split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise NoName
    folder.name = name
    try:
        with transaction.atomic():
            folder.save()
    except IntegrityError as taken:
        raise NameTaken from taken
    return folder


def _check_own(member: Member, folder: BookmarkFolder | None) -> None:
    if folder and folder.member_id != member.pk:
        raise NotYourFolder


def _lock(member: Member) -> None:
    """Two at once count one after the other."""
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
