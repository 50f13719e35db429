from questions.models.answer_first import Commitment
from questions.models.asking import Asked, FollowUp, Lexeme, Reference
from questions.models.following import Subscription, TopicFollow, TopicMute
from questions.models.invitations import Invitation
from questions.models.keeping import Bookmark, BookmarkFolder, SavedSearch
from questions.models.moderation import (
    ABOUT_PHYSICIANS,
    SEVERITY_OF,
    Appeal,
    Flag,
    Hold,
    ModerationAction,
    Reason,
    Report,
    Severity,
    WriteCount,
)
from questions.models.posts import Byline, Credit, Draft, Post, Revision
from questions.models.questions import Question, QuestionSpecialty, Tag
from questions.models.ranks import Board, BoardPlace, MemberRank, PairFlag, TierBar
from questions.models.votes import Importance, Vote

__all__ = [
    "ABOUT_PHYSICIANS",
    "SEVERITY_OF",
    "Appeal",
    "Asked",
    "Board",
    "BoardPlace",
    "Bookmark",
    "BookmarkFolder",
    "Byline",
    "Commitment",
    "Credit",
    "Draft",
    "Flag",
    "FollowUp",
    "Hold",
    "Importance",
    "Invitation",
    "Lexeme",
    "MemberRank",
    "ModerationAction",
    "PairFlag",
    "Post",
    "Question",
    "QuestionSpecialty",
    "Reason",
    "Reference",
    "Report",
    "Revision",
    "SavedSearch",
    "Severity",
    "Subscription",
    "Tag",
    "TierBar",
    "TopicFollow",
    "TopicMute",
    "Vote",
    "WriteCount",
]
