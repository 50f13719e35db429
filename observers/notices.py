"""How notices of observers read."""

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from observers.models import CompanyQuestion


def read_company_answers(notices: list[Notice], user: User) -> dict[int, Line]:
    """Lines that lead to the answer of a maker, for who asked. One query."""
    wanted = {notice.target for notice in notices}
    own = CompanyQuestion.objects.filter(pk__in=wanted, asker=user.as_member, removed_at=None)
    found = own.select_related("product", "firm").in_bulk()
    return {notice.pk: _line(found[notice.target]) for notice in notices if notice.target in found}


def _line(question: CompanyQuestion) -> Line:
    url = f"{question.product.get_absolute_url()}#asked-{question.key}"
    return Line(f"{question.firm.name} answered your question", url, question.product.name)


register(Kind.REPLY, read=read_company_answers, prefix="company")
