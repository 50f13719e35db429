"""What members are told of moderators' decisions about their cases: each once, outside of any budget.

Keys begin with "case:". Those of a draft name it and its submission, so that the same words after another one are
news; those of a flag name the flag.
"""

from accounts.models import Kind
from accounts.services import notices
from consults.models import Case, CaseDraft, ImageFlag

# What is told, as keys of notices say it.
PUBLISHED, RETURNED, REFUSED, STOPPED = "published", "returned", "refused", "stopped"
FLAGGED, SHOWN, SHREDDED, WRONG, RIGHT = "flagged", "shown", "shredded", "wrong", "right"
OF_DRAFTS = (RETURNED, REFUSED, STOPPED)


def of_publishing(case: Case) -> None:
    _tell_of_case(case, case.question.asker_id, f"case:{PUBLISHED}:{case.pk}")


def of_draft(draft: CaseDraft, deed: str) -> None:
    """That a draft came back to its author, and how: one of OF_DRAFTS."""
    notices.tell(
        members=[draft.member_id],
        kind=Kind.MODERATION,
        target=0,  # a draft has no number; its key is in the notice's
        about=f"draft:{draft.pk.hex}",
        key=f"case:{deed}:{draft.pk.hex}:{int(draft.submitted_at.timestamp())}",
    )


def of_flag(flag: ImageFlag, case: Case) -> None:
    """Tell the author that a picture is hidden until a moderator has looked; nobody tells who flagged it."""
    _tell_of_case(case, case.question.asker_id, f"case:{FLAGGED}:{flag.pk}")


def of_decision(flag: ImageFlag, case: Case) -> None:
    """Tell the author what became of the picture, once for all its open flags."""
    deed = SHREDDED if flag.state == ImageFlag.State.CONFIRMED else SHOWN
    _tell_of_case(case, case.question.asker_id, f"case:{deed}:{flag.pk}")


def of_own_flag(flag: ImageFlag, case: Case) -> None:
    """Tell a member who flagged a picture what a moderator saw there."""
    deed = RIGHT if flag.state == ImageFlag.State.CONFIRMED else WRONG
    _tell_of_case(case, flag.member_id, f"case:{deed}:{flag.pk}")


def _tell_of_case(case: Case, member_id: int, key: str) -> None:
    notices.tell(
        members=[member_id], kind=Kind.MODERATION, target=case.pk, about=f"question:{case.pk}", key=key
    )
