"""The desk of articles: found, set right, summed up in three lines, taken away; and the editors' own posts."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget, FilteredSelectMultiple
from django.contrib.postgres.search import SearchQuery
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.html import format_html, format_html_join

from accounts.models import Specialty
from newsfeed.desk import lots
from newsfeed.models import Article, Region
from newsfeed.models.articles import MOST_LINES
from newsfeed.services import editing, mapping, publishing_posts
from sermo.errors import RuleBroken
from sermo.estimates import EstimatedPaginator
from sermo.text import clip, searchable

LINES = [f"line_{number}" for number in range(1, MOST_LINES + 1)]
FOUND_BY = ["source", "link_out", "doi", "pmid", "journal", "authors", "section", "published_at", "shown_at"]
MARKDOWN = (
    "Markdown: **bold**, *italic*, ## a heading, - a list, [words](https://address). DOIs and PMIDs become links. "
    "A draft may wait without a text; what is published has one."
)


class TwoLists(FilteredSelectMultiple):
    """What the administration draws for relations; its script expects the select in a box of its own."""

    def render(self, name, value, attrs=None, renderer=None):
        return format_html(
            '<div class="related-widget-wrapper">{}</div>', super().render(name, value, attrs, renderer)
        )


def line_field(label: str, **more) -> forms.CharField:
    widget = AdminTextInputWidget(attrs={"class": "vLargeTextField"})
    return forms.CharField(
        label=label, required=False, max_length=editing.LONGEST_LINE, widget=widget, **more
    )


class ArticleForm(forms.ModelForm):
    """What an editor may change. Which of the fields there are is decided by whose article it is."""

    title = forms.CharField(
        max_length=editing.LONGEST_TITLE, widget=forms.Textarea(attrs={"rows": 2, "cols": 90})
    )
    kind = forms.ChoiceField(choices=[each for each in Article.Kind.choices if each[0] != "sermo"])
    body = forms.CharField(
        label="Text",
        required=False,
        max_length=editing.LONGEST_BODY,
        widget=forms.Textarea(attrs={"rows": 24, "cols": 90}),
        help_text=MARKDOWN,
    )
    line_1 = line_field("Key point", help_text="Up to three lines of 160 characters.")
    line_2 = line_field("Second line")
    line_3 = line_field("Third line")
    of_specialties = forms.ModelMultipleChoiceField(
        Specialty.objects.filter(is_choice=True),
        label="Specialties",
        required=False,
        widget=TwoLists("specialties", is_stacked=False),
        help_text=f"At most {mapping.MOST_BY_HAND}. None: general medicine. What you change, rules leave alone.",
    )
    region = forms.ChoiceField(choices=[("", "All of it"), *Region.choices], required=False)

    class Meta:
        model = Article
        fields = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        article = self.instance
        if article.is_ours or not article.pk:
            del self.fields["kind"]
        else:
            del self.fields["body"]
        if article.pk:
            self._fill(article)

    def _fill(self, article: Article) -> None:
        for name, line in zip(LINES, article.lines, strict=False):
            self.initial[name] = line
        for name in ("title", "kind", "body", "region"):
            self.initial[name] = getattr(article, name)
        on = article.tags.filter(is_off=False).values_list("specialty", flat=True)
        self.initial["of_specialties"] = list(on)

    def clean_of_specialties(self):
        chosen = self.cleaned_data["of_specialties"]
        if len(chosen) > mapping.MOST_BY_HAND:
            raise forms.ValidationError(mapping.TooManySpecialties.message)
        return chosen

    def clean_title(self):
        title = " ".join(self.cleaned_data["title"].split())
        if not title:
            raise forms.ValidationError(editing.NoTitle.message)
        return title

    def clean_body(self):
        body = self.cleaned_data["body"]
        if self.instance.state == Article.State.LISTED and self.instance.pk and not body.strip():
            raise forms.ValidationError(editing.NoBody.message)
        return body

    def _post_clean(self):
        """No field is the model's own: what it holds is judged by the services and written by them."""

    def lines(self) -> list[str]:
        return [self.cleaned_data[name] for name in LINES]

    def save(self, commit=True):
        """The desk saves by services."""
        self.save_m2m = lambda: None
        return self.instance


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):
    """Articles are taken away, never deleted: a feed would bring them back."""

    form = ArticleForm
    change_list_template = "newsfeed/desk/articles.html"
    change_form_template = "newsfeed/desk/article.html"
    paginator = EstimatedPaginator
    show_full_result_count = False
    list_display = ["headline", "kind", "state", "from_source", "region", "day"]
    list_filter = ["state", "kind", "region", "is_general", "edited_by_hand"]
    list_select_related = ["source"]
    search_fields = ["title"]  # that there is a box; how it finds is below
    search_help_text = "Words of an article, its whole DOI, or its PMID"
    ordering = ["-pk"]
    list_per_page = 50
    actions = ["take_away", "put_back", "map_anew"]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("search_vector", "search_text", "body_html", "abstract")

    def get_search_results(self, request, queryset, search_term):
        term = " ".join(search_term.replace("\x00", "").split())
        if not term:
            return queryset, False
        if term.lower().startswith("10.") and "/" in term:
            return queryset.filter(doi=term.lower()), False
        if term.isascii() and term.isdecimal() and len(term) <= 12:
            return queryset.filter(pmid=int(term)), False
        words = SearchQuery(searchable(term), config="english", search_type="websearch")
        return queryset.filter(search_vector=words), False

    def get_form(self, request, obj=None, change=False, **kwargs):
        return ArticleForm  # its fields are its own, and none is a field of the model

    def get_fieldsets(self, request, obj=None):
        ours = obj is None or obj.is_ours
        said = ["title", *LINES]
        fields = [(None, {"fields": [*said, "body"] if ours else ["title", "kind", *LINES]})]
        fields.append(
            ("What it is about", {"fields": ["of_specialties", "region", *(["reasons"] if obj else [])]})
        )
        if obj:
            facts = ["state", "shown_at", "minutes"] if ours else ["state", *FOUND_BY, "edited_by_hand"]
            fields.append(("Where it comes from", {"fields": facts}))
        return fields

    def get_readonly_fields(self, request, obj=None):
        return ["reasons", "state", "minutes", "edited_by_hand", *FOUND_BY] if obj else []

    def has_delete_permission(self, request, obj=None):
        return False

    def view_on_site(self, obj):
        return obj.get_absolute_url() if obj.state == Article.State.LISTED else None

    @admin.display(description="title")
    def headline(self, article):
        return clip(article.title, 110)

    @admin.display(description="source")
    def from_source(self, article):
        return article.source.short_name if article.source else "Sermo"

    @admin.display(description="day")
    def day(self, article):
        return article.shown_at.date()

    @admin.display(description="link")
    def link_out(self, article):
        if not article.link.startswith(("http://", "https://")):
            return article.link
        return format_html('<a href="{0}" rel="noopener noreferrer">{0}</a>', article.link)

    @admin.display(description="How it came to this")
    def reasons(self, article):
        """Each specialty, topic and region with where it comes from."""
        rows = [
            (tag.specialty.name, _reason(tag))
            for tag in article.tags.select_related("specialty").order_by("pk")
        ]
        if article.region:
            rows.append((article.get_region_display(), article.region_why))
        topics = article.topics.select_related("tag").order_by("tag__name")
        rows += [(f"#{topic.tag.name}", "its words stand in the title or the keywords") for topic in topics]
        if not rows:
            return "No rule matched: general medicine."
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", rows))

    def save_model(self, request, obj, form, change):
        """By the services, so that what an editor says stays said."""
        data, article = form.cleaned_data, obj
        if "body" in form.fields:
            if not change or {"title", "body"} & set(form.changed_data):
                article = editing.write_post(
                    title=data["title"], body=data["body"], article=obj if change else None
                )
        elif {"title", "kind"} & set(form.changed_data):
            article = editing.set_right(article=obj, title=data["title"], kind=data["kind"])
        if set(LINES) & set(form.changed_data):
            article = editing.write_lines(article=article, lines=form.lines())
        if not change or {"of_specialties", "region"} & set(form.changed_data):
            article = mapping.correct(
                article=article, specialties=data["of_specialties"], region=data["region"], by=request.user
            )
        obj.pk, obj.title, obj._state.adding = article.pk, article.title, False

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj:
            context["subtitle"] = clip(obj.title, 80)
        else:
            context["title"] = "Write a post from Sermo"
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_add(self, request, obj, post_url_continue=None):
        self.message_user(
            request, "Saved as a draft. Nobody sees it before it is published.", messages.SUCCESS
        )
        return redirect("admin:newsfeed_article_change", obj.pk)

    def get_urls(self):
        view = self.admin_site.admin_view
        ways = {"publish": self._publish, "remove": self._remove, "put-back": self._put_back}
        return [
            *(
                path(
                    f"<int:article_id>/{name}/",
                    view(self._posted(act)),
                    name=f"newsfeed_article_{name.replace('-', '_')}",
                )
                for name, act in ways.items()
            ),
            *super().get_urls(),
        ]

    def _posted(self, act):
        """A view that does one thing to one article."""

        def view(request, article_id):
            article = get_object_or_404(Article, pk=article_id)
            if not self.has_change_permission(request, article):
                raise PermissionDenied
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            try:
                said = act(article)
            except RuleBroken as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                self.log_change(request, article, said)
                self.message_user(request, said, messages.SUCCESS)
            return redirect("admin:newsfeed_article_change", article.pk)

        return view

    def _publish(self, article):
        publishing_posts.publish(article=article)
        return "Published, with its discussion."

    def _remove(self, article):
        editing.remove(article=article)
        return "Removed from all lists."

    def _put_back(self, article):
        editing.put_back(article=article)
        return "Put back."

    @admin.action(description="Remove from all lists", permissions=["change"])
    def take_away(self, request, queryset):
        self._each(request, queryset, editing.remove, "Removed from all lists")

    @admin.action(description="Put back", permissions=["change"])
    def put_back(self, request, queryset):
        self._each(request, queryset, editing.put_back, "Put back")

    def _each(self, request, queryset, act, said) -> None:
        done, refusals = 0, []
        ids = lots.chosen(self, request, queryset)
        for article in lots.rows_of(Article.objects.only("title"), ids):
            try:
                act(article=article)
            except RuleBroken as refusal:
                refusals.append(f"{clip(article.title, 60)}: {refusal}")
            else:
                self.log_change(request, article, said)
                done += 1
        lots.tell_refusals(self, request, refusals)
        if done:
            self.message_user(request, f"{said}: {done:,}.", messages.SUCCESS)

    @admin.action(description="Map anew", permissions=["change"])
    def map_anew(self, request, queryset):
        if ids := lots.chosen(self, request, queryset):
            done = mapping.remap(Article.objects.filter(pk__in=ids).only("pk"))
            self.message_user(request, f"Mapped anew: {done:,}.", messages.SUCCESS)


def _reason(tag) -> str:
    if tag.is_off:
        return "taken off by an editor"
    return tag.why or tag.get_how_display().lower()
