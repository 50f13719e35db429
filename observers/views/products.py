"""Pages of products for members: where one is discussed, what its maker answered, ties to it, and sheets of events."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.doors import physician_required
from accounts.services import identifiers, notices
from accounts.views.ties import member_required
from observers import conflicts, sheets
from observers.forms_products import CompanyQuestionForm, DeclarationForm, SheetForm
from observers.models import CompanyQuestion, Declaration, Mention, Product
from observers.services import company, declaring
from questions.models import Post, Question
from questions.rows import ListRows, drawn_ahead
from questions.walks import walk
from sermo.csv_cells import BYTE_ORDER_MARK, harmless, line_of
from sermo.errors import RuleBroken
from sermo.paging import Page, page
from sermo.returning import posted_from
from sermo.text import searchable

PER_PAGE = 60
SHOWN = 3  # questions to the maker on the page of a product
OWN_SHOWN = 5
NEWEST = ("-opened_at", "-pk")


@dataclass(frozen=True)
class About:
    """Discussions in which a post that the reader may read speaks of a product."""

    product: int

    def rows(self, user):
        posts = Post.objects.standing().opened_to(user).filter(folded_at=None, mentions__product=self.product)
        rows = Question.objects.visible_to(user).listed().filter(pk__in=posts.values("question"))
        return rows.besides_blocked(user.as_member).besides_muted(user.as_member)


@physician_required
@require_safe
def all_products(request):
    """All products by name, or those that are called so or made by a firm of that name."""
    typed = request.GET.get("q", "").strip()[:60]
    rows = Product.objects.select_related("maker")
    if typed:
        named = Q(name__icontains=typed) | Q(generic__icontains=typed) | Q(maker__name__icontains=typed)
        rows = rows.filter(named | Q(words__contains=[searchable(typed)]))
    found = page(rows, order=("name", "pk"), after=request.GET.get("after"), size=PER_PAGE)
    query = {"q": typed} if typed else {}
    more_url = f"?{urlencode({**query, 'after': found.next})}" if found.next else ""
    return render(
        request, "products/list.html", {"products": found.rows, "typed": typed, "more_url": more_url}
    )


@physician_required
def product(request, slug):
    """One product; a POST asks its maker."""
    found = _product(slug)
    if request.htmx and request.GET.get("after"):
        rows = _discussions(request, found)
        return render(request, "questions/_question_rows.html", _rows_context(found, rows))
    form = CompanyQuestionForm(request.POST if request.method == "POST" else None, auto_id="ask_%s")
    if request.method == "POST" and form.is_valid() and _ask(request, found, form):
        return redirect(f"{found.get_absolute_url()}#asked")
    context = {
        **_rows_context(found, _discussions(request, found)),
        **_company_context(request, found, form),
        **_own_context(request, found),
    }
    return render(request, "products/product.html", context, status=422 if form.errors else 200)


def _product(slug) -> Product:
    """With its maker, and `has_desk`, whether that answers here."""
    has_desk = ExpressionWrapper(company.has_desk(), output_field=BooleanField())
    rows = Product.objects.select_related("maker").annotate(has_desk=has_desk)
    return get_object_or_404(rows, slug=slug)


def _discussions(request, found: Product) -> Page:
    rows = ListRows(request.user, About(found.pk), NEWEST)
    listed = walk(rows, after=request.GET.get("after"), size=settings.QUESTIONS_PER_PAGE)
    return Page(drawn_ahead(listed.rows), listed.next)


def _rows_context(found, listed):
    more_url = f"{found.get_absolute_url()}?after={listed.next}" if listed.next else None
    return {"product": found, "page": listed, "more_url": more_url}


def _company_context(request, found, form):
    """What the maker was asked, and how long it takes."""
    member = request.user.as_member
    rows = list(_asked(found)[: SHOWN + 1])
    desk = found.maker if found.has_desk else None
    return {
        "asked": _shown(rows[:SHOWN], member),
        "has_more_asked": len(rows) > SHOWN,
        "desk": desk,
        "usual": company.usual_time(found.maker) if found.maker else None,
        "hours": settings.COMPANY_ANSWER_HOURS,
        "form": form if desk and member and member.may_write else None,
    }


def _asked(found: Product):
    rows = CompanyQuestion.objects.filter(product=found, removed_at=None).select_related("firm")
    return rows.order_by("-asked_at", "-pk")


def _shown(rows, member):
    now = timezone.now()
    for row in rows:
        row.is_own = member is not None and row.asker_id == member.pk
        row.is_late = row.answered_at is None and row.due_at < now
    return rows


def _own_context(request, found):
    """What concerns this member alone: what they said of their ties, and their posts on the product."""
    member = request.user.as_member
    if member is None:
        return {}
    if request.user.unread_count and notices.seen(member, f"product:{found.pk}"):
        request.user.unread_count -= 1
    own = Post.objects.standing().filter(author=member, mentions__product=found).select_related("question")
    context = {"own_posts": own.order_by("-pk")[:OWN_SHOWN]}
    if found.maker_id:
        said = Declaration.objects.filter(member=member, firm=found.maker_id).first()
        context["declared"], context["least"] = said, settings.OBSERVER_LEAST
        context["is_contradicted"] = bool(
            said and not said.is_paid and conflicts.was_paid(member, found.maker)
        )
    return context


def _ask(request, found, form) -> bool:
    member = request.user.as_member
    if member is None:
        form.add_error(None, "Only members ask. Your account has no membership.")
        return False
    try:
        with transaction.atomic():
            said = form.cleaned_data
            company.ask(product=found, asker=member, text=said["text"], submission=said["submission"])
            identifiers.record(member=member, place="company question", kept=form.kept_identifiers())
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, f"Sent to {found.maker}. You hear once it has answered.")
    return True


@physician_required
@require_safe
def questions(request, slug):
    """All that was asked of the maker, the newest first."""
    found = _product(slug)
    rows = page(
        CompanyQuestion.objects.filter(product=found, removed_at=None).select_related("firm"),
        order=("-asked_at", "-pk"),
        after=request.GET.get("after"),
        size=settings.ANSWERS_PER_PAGE,
    )
    context = {
        "product": found,
        "asked": _shown(rows.rows, request.user.as_member),
        "hours": settings.COMPANY_ANSWER_HOURS,
        "more_url": f"?{urlencode({'after': rows.next})}" if rows.next else "",
    }
    return render(request, "products/questions.html", context)


def _page_of_key(key) -> str:
    asked = CompanyQuestion.objects.filter(key=key).select_related("product").first()
    return asked.product.get_absolute_url() if asked else reverse("products:list")


@member_required
@posted_from(_page_of_key)
def take_back(request, key):
    """Take back one's own question; a colleague's is not there."""
    asked = get_object_or_404(CompanyQuestion, key=key, asker=request.user.as_member, removed_at=None)
    try:
        company.take_back(question=asked, by=request.user.as_member)
        messages.success(request, "Taken back.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(asked.product)


@member_required
@posted_from(lambda slug: reverse("products:product", args=[slug]))
def declare(request, slug):
    """Say whether the maker pays one."""
    found = get_object_or_404(Product.objects.select_related("maker"), slug=slug, maker__isnull=False)
    form = DeclarationForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say whether it pays you or not.")
        return redirect(found)
    try:
        declaring.declare(member=request.user.as_member, firm=found.maker, **form.cleaned_data)
        messages.success(request, "Noted. It stands for 12 months under what you write with your handle.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(found)


# Sheets


@member_required
def sheet(request, post_id):
    """A sheet of an adverse event for an own post; what is typed comes back to print or as a table, kept nowhere."""
    own = Post.objects.standing().filter(author=request.user.as_member).select_related("question")
    post = get_object_or_404(own, pk=post_id)
    named = [mention.product for mention in Mention.objects.filter(post=post).select_related("product")]
    title = post.question.title if post.kind == Post.Kind.OPENING else ""
    typed = request.POST if request.method == "POST" else None
    form = SheetForm(typed, initial=sheets.prefilled(title, post.source, named))
    if request.method == "POST" and form.is_valid():
        if "csv" in request.POST:
            return _sheet_file(form)
        return render(request, "products/sheet_print.html", {"parts": form.filled(), "post": post})
    context = {"form": form, "parts": form.parts(), "post": post}
    return render(request, "products/sheet.html", context, status=422 if form.errors else 200)


def _sheet_file(form) -> HttpResponse:
    lines = [("Part", "Field", "Value")]
    lines += [(title, label, words) for title, rows in form.filled() for label, words in rows]
    text = BYTE_ORDER_MARK + "".join(line_of(harmless(cell) for cell in line) for line in lines)
    headers = {
        "Content-Disposition": 'attachment; filename="adverse-event.csv"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
