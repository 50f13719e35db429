from html import unescape

import pytest
from django.contrib import admin
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.roles import NEWS_EDITORS
from accounts.tests.factories import make_specialty, make_user
from conftest import client_of
from newsfeed import reference
from newsfeed.desk import lots
from newsfeed.desk.articles import ArticleAdmin
from newsfeed.models import Article, ArticleSource, Feed, Host, MappingRule, Source
from newsfeed.receivers import allow_news_editors
from newsfeed.services import checking, editing, mapping
from newsfeed.tests.factories import make_article, make_feed, make_source

pytestmark = pytest.mark.django_db
MODELS = ("source", "feed", "host", "mappingrule", "article")


@pytest.fixture
def editor(db):
    from allauth.mfa.models import Authenticator
    from django.apps import apps

    allow_news_editors(apps.get_app_config("newsfeed"), using="default")
    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get(name=NEWS_EDITORS))
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


@pytest.fixture
def desk(editor):
    return client_of(editor)


def page(model, name="changelist", *args):
    return reverse(f"admin:newsfeed_{model}_{name}", args=args)


def text_of(response):
    return unescape(response.content.decode())


def said(response):
    return [str(message) for message in response.context["messages"]]


def feeds_of(source, *rows, initial=0):
    """The fields of the inline forms of a source's feeds."""
    fields = {"feeds-TOTAL_FORMS": len(rows), "feeds-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        for name, value in row.items():
            fields[f"feeds-{number}-{name}"] = value
    return fields


def source_fields(**changes):
    return {
        **{"name": "Heartline", "short_name": "HL", "slug": "heartline", "kind": "journal", "is_on": "on"},
        "item_kind": "article",
        **{"language": "en", "home": "", "region": "", "nlm_id": "", "e_issn": "", "license": ""},
        **feeds_of(None),
        **changes,
    }


# the door


@pytest.mark.parametrize("model", MODELS)
def test_only_news_editors_have_the_desk_and_members_never(model, physician_client, client, staff):
    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})

    assert physician_client.get(page(model)).status_code in (302, 403, 404)
    assert client.get(page(model)).status_code in (302, 404)
    assert client_of(staff).get(page(model)).status_code == 403


def test_news_editors_see_all_lists_and_the_moderators_desk_is_not_theirs(desk):
    assert "0 feeds" in text_of(desk.get(page("feed")))
    feed = make_feed(make_source("Heartline"))
    article = make_article(feed.source, "A trial of hearts")
    MappingRule.objects.create(where="keyword", pattern="heart", region="us")
    Host.objects.create(name="slow.example.org", parked_until=timezone.now())

    for model, words in zip(MODELS, ("Heartline", "Heartline", "slow", "heart", article.title), strict=True):
        assert words in text_of(desk.get(page(model)))
    assert desk.get(reverse("admin:questions_report_changelist")).status_code == 403
    assert desk.get(page("article", "delete", article.pk)).status_code == 403


@pytest.mark.parametrize(
    ("model", "most"), [("source", 12), ("feed", 13), ("article", 12), ("mappingrule", 10)]
)
def test_lists_cost_the_same_at_any_length(desk, model, most, django_assert_max_num_queries):
    for number in range(4):
        feed = make_feed(make_source(specialties=[make_specialty()]))
        make_article(feed.source)
        MappingRule.objects.create(where="mesh", pattern=f"term {number}", region="us")

    with django_assert_max_num_queries(most):
        assert desk.get(page(model)).status_code == 200


# sources and feeds


def test_a_source_is_made_with_its_feeds_in_order(desk):
    heart = make_specialty()
    rows = [
        {"place": 1, "kind": "feed", "address": "https://heart.example.org/a.xml", "is_on": "on"},
        {"place": 2, "kind": "crossref", "address": "1756-1833", "is_on": "on"},
    ]

    desk.post(page("source", "add"), source_fields(specialties=[heart.pk], **feeds_of(None, *rows)))

    source = Source.objects.get()
    assert [feed.address for feed in source.feeds.all()] == [row["address"] for row in rows]
    assert list(source.specialties.all()) == [heart]


def test_feeds_may_swap_their_places_and_a_new_address_starts_afresh(desk):
    source = make_source("Heartline", short_name="HL")
    first, second = make_feed(source), make_feed(source)
    Feed.objects.filter(pk=second.pk).update(status="disabled", disabled_at=timezone.now(), failures=10)

    rows = [
        {"id": first.pk, "source": source.pk, "place": 2, "kind": "feed", "address": first.address},
        {
            "id": second.pk,
            "source": source.pk,
            "place": 1,
            "kind": "feed",
            "address": "https://new.example.org/",
        },
    ]
    answer = desk.post(
        page("source", "change", source.pk), source_fields(**feeds_of(source, *rows, initial=2))
    )

    assert answer.status_code == 302
    assert [feed.pk for feed in source.feeds.all()] == [second.pk, first.pk]
    second.refresh_from_db()
    assert (second.status, second.failures) == ("new", 0)


def test_what_cannot_be_read_is_refused_with_a_reason(desk):
    rows = [
        {"place": 1, "kind": "feed", "address": "file:///etc/passwd"},
        {"place": 2, "kind": "pubmed", "address": "NEJM"},
        {"place": 3, "kind": "crossref", "address": "1756-1834"},
    ]
    fields = source_fields(shows_abstracts="on", e_issn="1234-5678", **feeds_of(None, *rows))

    seen = text_of(desk.post(page("source", "add"), fields))

    for words in (
        "Abstracts are shown only under a license",
        "its last sign fits the others",
        "Its address is not a web address.",
        "An NLM id is a number",
        "An ISSN looks like 1234-5679.",
    ):
        assert words in seen
    assert not Source.objects.exists()


def test_each_feed_has_a_place_of_its_own(desk):
    rows = [{"place": 1, "kind": "pubmed", "address": number} for number in ("0255562", "0255563")]

    seen = text_of(desk.post(page("source", "add"), source_fields(**feeds_of(None, *rows))))

    assert "Each feed has a place of its own." in seen
    assert not Source.objects.exists()


def test_what_the_site_ships_with_or_has_articles_is_not_deleted(desk):
    shipped = make_source(slug="nejm")
    used = make_article().source
    own = make_source()

    for source, status in ((shipped, 403), (used, 403), (own, 200)):
        assert desk.get(page("source", "delete", source.pk)).status_code == status
    assert "delete_selected" not in text_of(desk.get(page("source")))


def test_the_list_of_feeds_says_how_they_are(desk, settings):
    settings.NEWS_FETCHED = True
    works = make_source("Works")
    make_feed(works, status="ok", next_at=timezone.now() + timezone.timedelta(hours=3, minutes=1))
    make_feed(works, kind="crossref", address="1756-1833")
    make_feed(status="failing", error="It refuses us (403).", status_code=403, failures=2)
    make_feed(status="disabled", disabled_at=timezone.now())
    make_feed(next_at=timezone.now() - timezone.timedelta(hours=2))
    make_feed(is_on=False)

    seen = text_of(desk.get(page("feed")))

    assert "1 feed read without trouble, 1 not checked yet" in seen
    assert "1 failing" in seen
    assert "1 disabled" in seen
    assert "1 in reserve, 1 switched off. <strong>1 should have been checked more than an hour ago" in seen
    assert "Failing (403), 2 in a row" in seen
    assert "It refuses us (403)." in seen
    assert "in 3\xa0hours" in seen
    assert "in reserve</td>" in seen
    assert "Switched off" in seen

    settings.NEWS_FETCHED = False
    assert "only by “Check now”" in text_of(desk.get(page("feed")))


@pytest.mark.parametrize(
    ("word", "is_on", "text"),
    [
        ("read", True, "Heartline: read, 3 entries in it."),
        ("unchanged", True, "Heartline: nothing new, 3 entries in it."),
        ("disabled", True, "Heartline: failed, and is disabled: It is gone for good (410)."),
        ("waiting", True, "Heartline: waiting: its host is busy, it is tried again within a minute."),
        ("waiting", False, "Heartline: waiting: its host is busy, try again in a minute."),
        ("parked", True, "Heartline: waiting: its host asked to be left alone. It is tried again on "),
        ("not due", True, "Heartline: not checked: another check of it is under way."),
        ("not kept", True, "Heartline: was changed while it was read"),
    ],
)
def test_check_now_says_what_happened(desk, monkeypatch, settings, word, is_on, text):
    settings.NEWS_FETCHED = True
    feed = make_feed(
        make_source("Heartline"), last_entries=3, is_on=is_on, error="It is gone for good (410)."
    )
    monkeypatch.setattr(checking, "check_now", lambda *, feed: word)

    answer = desk.post(page("feed", "check", feed.pk), follow=True)

    assert said(answer)[-1].startswith(text)


def test_an_operator_has_a_feed_checked_now(desk, monkeypatch, settings):
    settings.NEWS_FETCHED = True
    feed, other, off = (
        make_feed(make_source("Heartline")),
        make_feed(next_at=timezone.now() + timezone.timedelta(days=1)),
        make_feed(is_on=False),
    )
    checked = []

    def check_now(*, feed):
        checked.append(feed.pk)
        Feed.objects.filter(pk=feed.pk).update(status="failing", error="It refuses us (403).")
        return "failed"

    monkeypatch.setattr(checking, "check_now", check_now)
    assert "Check now" in text_of(desk.get(page("feed", "change", feed.pk)))
    assert desk.get(page("feed", "check", feed.pk)).status_code == 405
    assert checked == []

    answer = desk.post(page("feed", "check", feed.pk), follow=True)
    assert said(answer) == ["Heartline: failed: It refuses us (403)."]
    desk.post(page("feed"), {"action": "check_now", "_selected_action": [feed.pk]})
    assert checked == [feed.pk, feed.pk]
    act = {"action": "check_now", "_selected_action": [feed.pk, other.pk, off.pk]}
    answer = desk.post(page("feed"), act, follow=True)

    assert said(answer)[-1] == "2 will be checked within a minute or two. Of the others: 1 switched off."
    assert checked == [feed.pk, feed.pk]  # several are left to the next round
    other.refresh_from_db()
    assert other.next_at <= timezone.now()


def test_a_feed_read_beside_others_is_shown_so_and_its_specialties_hold_at_once(desk):
    heart = make_specialty()
    article = make_article()
    feed = make_feed(article.source, place=1)
    ArticleSource.objects.create(feed=feed, guid="1", article=article, content_hash="x")
    mapping.map_article(article)
    fields = {"source": feed.source_id, "place": 1, "kind": "feed", "address": feed.address, "is_on": "on"}

    desk.post(page("feed", "change", feed.pk), {**fields, "is_beside": "on", "specialties": [heart.pk]})
    mapping.map_article(article)

    assert f"{feed.source.short_name}, RSS, beside" in text_of(desk.get(page("feed")))
    assert 'name="feeds-0-is_beside"' in text_of(desk.get(page("source", "change", feed.source_id)))
    assert article.tags.get().specialty == heart


def test_an_operator_enables_a_feed_again(desk):
    feed = make_feed(status="disabled", disabled_at=timezone.now(), failures=10)
    assert "Enable again" in text_of(desk.get(page("feed", "change", feed.pk)))

    desk.post(page("feed", "enable", feed.pk))

    feed.refresh_from_db()
    assert feed.status == "new"


# rules


def test_a_rule_is_made_in_lower_case_and_gives_one_thing(desk):
    kidney = make_specialty("Nephrology")
    fields = {"where": "section", "pattern": " Renal  Médicine ", "specialty": kidney.pk, "region": ""}

    desk.post(page("mappingrule", "add"), fields)
    refused = desk.post(page("mappingrule", "add"), {**fields, "pattern": "x", "region": "us"})

    assert MappingRule.objects.get().pattern == "renal medicine"
    assert "one of the two" in text_of(refused)


def test_rules_are_switched_off_and_articles_mapped_anew(desk):
    rule = MappingRule.objects.create(
        where="keyword", pattern="dialysis", specialty=make_specialty("Nephrology")
    )
    article = make_article(title="Dialysis")
    act = {"_selected_action": [rule.pk]}

    desk.post(page("mappingrule"), {"action": "map_anew", **act})
    assert article.tags.count() == 1
    desk.post(page("mappingrule"), {"action": "switch_off", **act})
    answer = desk.post(page("mappingrule"), {"action": "map_anew", **act}, follow=True)

    assert said(answer)[-1] == "Articles mapped anew: 1."
    assert article.tags.count() == 0
    desk.post(page("mappingrule"), {"action": "switch_on", **act})
    rule.refresh_from_db()
    assert (rule.pattern, rule.is_on) == ("dialysis", True)


def test_a_shipped_rule_is_not_deleted(desk):
    row = next(row for row in reference._rows("rules.csv") if row["region"])
    shipped = MappingRule.objects.create(where=row["where"], pattern=row["pattern"], region=row["region"])
    own = MappingRule.objects.create(where="mesh", pattern="atlantis", region="eu")

    assert desk.get(page("mappingrule", "delete", shipped.pk)).status_code == 403
    assert desk.get(page("mappingrule", "delete", own.pk)).status_code == 200


# articles


def article_fields(article, **changes):
    return {"title": article.title, "kind": article.kind, "region": article.region, **changes}


def test_an_article_is_set_right_and_says_why_it_is_where(desk):
    heart, kidney = make_specialty(), make_specialty("Nephrology")
    article = make_article(make_source("Heartline", specialties=[heart]))
    mapping.map_article(article)
    address = page("article", "change", article.pk)
    assert "Cardiovascular Disease: journal “Heartline”" in text_of(desk.get(address))

    answer = desk.post(
        address,
        article_fields(
            article,
            title="Right",
            kind="guideline",
            line_1="The point.",
            of_specialties=[kidney.pk],
            region="us",
        ),
    )

    assert answer.status_code == 302
    article.refresh_from_db()
    assert (article.title, article.kind, article.lines) == ("Right", "guideline", ["The point."])
    assert (article.edited_by_hand, article.region) == (True, "us")
    seen = text_of(desk.get(address))
    assert "Nephrology: by an editor" in seen
    assert "Cardiovascular Disease: taken off by an editor" in seen


def test_saving_without_a_change_says_nothing(desk):
    heart = make_specialty()
    article = make_article(make_source(specialties=[heart]), lines=["One"])
    mapping.map_article(article)

    desk.post(
        page("article", "change", article.pk),
        article_fields(article, line_1="One", of_specialties=[heart.pk]),
    )

    article.refresh_from_db()
    assert not article.edited_by_hand
    assert [tag.how for tag in article.tags.all()] == ["feed"]


def test_too_much_is_refused_and_what_was_typed_kept(desk):
    article = make_article()

    seen = text_of(
        desk.post(page("article", "change", article.pk), article_fields(article, title=" ", line_1="y" * 161))
    )

    assert "y" * 161 in seen
    article.refresh_from_db()
    assert article.lines == []


@pytest.mark.parametrize("typed", ["hearts", "10.5555/SOUGHT", "123456"])
def test_articles_are_found_by_words_and_numbers(typed):
    sought = make_article(title="A trial", search_text="a trial of hearts", doi="10.5555/sought", pmid=123456)
    make_article(title="Another")

    found, _ = ArticleAdmin(Article, admin.site).get_search_results(None, Article.objects.all(), typed)

    assert list(found) == [sought]


def test_articles_are_taken_away_and_put_back(desk):
    one, two = make_article(), make_article()
    act = {"_selected_action": [one.pk, two.pk]}

    desk.post(page("article"), {"action": "take_away", **act})
    assert Article.objects.filter(state="removed").count() == 2
    desk.post(page("article"), {"action": "put_back", **act})
    assert "Remove from all lists" in text_of(desk.get(page("article", "change", one.pk)))
    desk.post(page("article", "remove", one.pk))
    assert desk.get(page("article", "remove", two.pk)).status_code == 405

    assert list(Article.objects.filter(state="removed")) == [one]


def test_too_many_at_once_are_left_alone_with_a_word_about_it(desk, monkeypatch):
    monkeypatch.setattr(lots, "MOST", 2)
    monkeypatch.setattr(lots, "BATCH", 1)
    articles = [make_article() for _ in range(3)]
    act = {"action": "take_away", "_selected_action": [article.pk for article in articles]}

    for action in ("take_away", "map_anew"):
        answer = desk.post(page("article"), {**act, "action": action}, follow=True)
        assert said(answer)[-1].startswith("Nothing was done: at most 2 at once.")
    assert not Article.objects.filter(state="removed").exists()

    desk.post(page("article"), {**act, "_selected_action": act["_selected_action"][:2]})
    assert Article.objects.filter(state="removed").count() == 2


def test_of_many_refusals_a_few_are_told(desk, monkeypatch):
    monkeypatch.setattr(lots, "MOST_REFUSALS", 1)
    drafts = [editing.write_post(title=f"Draft {number}", body="") for number in range(3)]

    act = {"action": "take_away", "_selected_action": [draft.pk for draft in drafts]}
    answer = desk.post(page("article"), act, follow=True)

    assert said(answer)[0].startswith("Draft 0: A draft has nothing")
    assert said(answer)[1:] == ["And 2 more were refused."]


def test_a_long_list_is_estimated(desk, monkeypatch):
    from sermo import estimates

    monkeypatch.setattr(estimates, "MOST_COUNTED", 2)
    monkeypatch.setattr(estimates, "_estimate", lambda rows: 200_000)
    source = make_source()
    for number in range(3):
        make_article(source, f"Heart {number}")

    assert "200000 articles" in text_of(desk.get(page("article")))
    assert "200000" not in text_of(desk.get(page("article"), {"q": "heart"}))


# posts of the editors


def test_a_post_is_drafted_published_and_edited(desk, physician):
    make_specialty("Internal Medicine")
    fields = {"title": "Ours", "body": "Some **words**.", "line_1": "The point", "region": ""}

    answer = desk.post(page("article", "add"), fields, follow=True)

    post = Article.objects.get()
    assert (post.state, post.kind) == ("draft", "sermo")
    assert "Saved as a draft" in said(answer)[-1]
    assert not Article.objects.visible_to(physician.user).exists()

    desk.post(page("article", "publish", post.pk))
    assert Article.objects.visible_to(physician.user).get() == post
    assert post.discussion.question_id
    desk.post(page("article", "change", post.pk), {**fields, "body": "Other words."})
    post.refresh_from_db()
    assert post.body_html == "<p>Other words.</p>\n"
    assert "other words" in post.search_text


def test_a_post_without_a_text_is_kept_but_not_published(desk):
    post = editing.write_post(title="Ours", body="")

    answer = desk.post(page("article", "publish", post.pk), follow=True)

    assert "Write both" in said(answer)[-1]
    assert Article.objects.get().state == "draft"


# OPML


def test_a_list_of_feeds_is_taken_in_and_told_of(desk):
    make_feed(address="https://known.example.org/")
    body = "".join(
        f'<outline text="N{number}" xmlUrl="{address}"/>'
        for number, address in enumerate(
            ["https://known.example.org/", "https://new.example.org/", "file:///etc/passwd"]
        )
    )
    data = f'<opml version="2.0"><body>{body}</body></opml>'.encode()

    seen = text_of(desk.post(page("source", "opml"), {"file": SimpleUploadedFile("feeds.opml", data)}))

    assert "1 added, 1 known already, 1 refused" in seen
    assert "file:///etc/passwd: Its address is not a web address." in seen
    logged = LogEntry.objects.filter(action_flag=ADDITION).order_by("pk")
    assert [entry.object_repr for entry in logged] == ["N1", "RSS or Atom: https://new.example.org/"]
    assert b"https://new.example.org/" in desk.get(page("source", "opml_file")).content


def test_who_may_not_add_feeds_takes_no_list_of_them_in(staff):
    from allauth.mfa.models import Authenticator
    from django.contrib.auth.models import Permission

    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})
    staff.user_permissions.add(*Permission.objects.filter(codename__in=["view_source", "add_source"]))

    assert client_of(staff).get(page("source", "opml")).status_code == 403
    assert page("source", "opml") not in text_of(client_of(staff).get(page("source")))


def test_a_hostile_file_is_refused(desk):
    data = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml><body>&a;</body></opml>'

    answer = desk.post(page("source", "opml"), {"file": SimpleUploadedFile("feeds.opml", data)})

    assert answer.status_code == 422
    assert "This is not an OPML file." in text_of(answer)


def test_who_only_reads_takes_nothing_in(staff):
    from allauth.mfa.models import Authenticator
    from django.contrib.auth.models import Permission

    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})
    staff.user_permissions.add(
        *Permission.objects.filter(content_type__app_label="newsfeed", codename__startswith="view_")
    )
    reader, feed, article = client_of(staff), make_feed(), make_article()

    assert reader.get(page("source", "opml")).status_code == 403
    assert reader.post(page("feed", "check", feed.pk)).status_code == 403
    assert reader.post(page("article", "remove", article.pk)).status_code == 403
    assert article.title in text_of(reader.get(page("article", "change", article.pk)))
