from questions.models.posts import Byline, Credit, Draft, Post, Revision
from questions.models.questions import Question, QuestionSpecialty, Tag
from questions.models.ranks import MemberRank
from questions.models.votes import Importance, Vote

__all__ = [
    "Byline",
    "Credit",
    "Draft",
    "Importance",
    "MemberRank",
    "Post",
    "Question",
    "QuestionSpecialty",
    "Revision",
    "Tag",
    "Vote",
]
