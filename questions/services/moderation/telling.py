"""What a member concerned is told: each decision once, outside of any budget, with a way to its reasons."""

from accounts.models import Kind
from accounts.services import notices
from questions.models import ModerationAction

TOLD_ELSEWHERE = (ModerationAction.Kind.REMOVE, ModerationAction.Kind.CLOSE)  # see questions.services.telling


def of_act(action: ModerationAction) -> None:
    """Removing and closing are told where they are done; that a report was dismissed concerns nobody."""
    if action.kind != ModerationAction.Kind.DISMISS and action.kind not in TOLD_ELSEWHERE:
        _tell(action, "done")


def of_undoing(action: ModerationAction) -> None:
    if action.kind != ModerationAction.Kind.DISMISS:
        _tell(action, "undone")


def of_appeal(action: ModerationAction) -> None:
    _tell(action, "appeal")


def _tell(action: ModerationAction, deed: str) -> None:
    notices.tell(
        members=[action.member_id],
        kind=Kind.MODERATION,
        target=action.post_id,
        about=f"question:{action.post.question_id}",
        key=f"act:{action.pk}:{deed}",
    )
