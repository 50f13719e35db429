from questions.models.following import Subscription, TopicFollow
from questions.models.posts import Byline, Credit, Draft, Post, Revision
from questions.models.questions import Question, QuestionSpecialty, Tag
from questions.models.ranks import Board, BoardPlace, MemberRank, PairFlag, TierBar
from questions.models.votes import Importance, Vote

__all__ = [
    "Board",
    "BoardPlace",
    "Byline",
    "Credit",
    "Draft",
    "Importance",
    "MemberRank",
    "PairFlag",
    "Post",
    "Question",
    "QuestionSpecialty",
    "Revision",
    "Subscription",
    "Tag",
    "TierBar",
    "TopicFollow",
    "Vote",
]
