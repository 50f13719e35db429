"""What posts are called on a page: answers with comments under them, or under an article comments with replies."""

from typing import NamedTuple


class Words(NamedTuple):
    """`answer` and `comment` are also what one does."""

    answer: str = "answer"
    comment: str = "comment"
    comments: str = "comments"
    answered: str = "answered"

    def post(self, kind: str) -> str:
        """The word for a post of a kind, in lower case."""
        return {"answer": self.answer, "comment": self.comment}.get(kind, kind)


USUAL = Words()
OF_KIND = {"article": Words("comment", "reply", "replies", "commented")}


def words_of(kind: str) -> Words:
    """The words of a kind of discussion."""
    return OF_KIND.get(kind, USUAL)
