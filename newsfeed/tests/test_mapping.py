import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import make_specialty
from newsfeed import mapping as pure
from newsfeed.mapping import Found, Phrases, Rule, Rules
from newsfeed.models import Article, ArticleSource, ArticleSpecialty, MappingRule
from newsfeed.services import discussing, mapping
from newsfeed.tests.factories import make_article, make_feed, make_source
from questions.models import Tag

RULES = Rules.of(
    [
        Rule("section", "cardiovascular medicine", "heart"),
        Rule("category", "nephrology", "kidney"),
        Rule("mesh", "heart failure", "heart"),
        Rule("mesh", "pregnancy", "birth"),
        Rule("keyword", "atrial fibrillation", "heart"),
        Rule("keyword", "crohn disease", "gut"),
        Rule("keyword", "stroke", "brain"),
        Rule("keyword", "ms", "brain"),
        Rule("keyword", "covid-19", "germs"),
        Rule("keyword", "lipoprotein(a)", "heart"),
        Rule("mesh", "united states", None, "us"),
        Rule("keyword", "nhs", None, "uk"),
        Rule("keyword", "medicare", None, "us"),
    ]
)


def found(title="A trial", defaults=(), **terms):
    return pure.specialties_of(title=title, terms=terms, defaults=defaults, rules=RULES)


def reasons(*args, **terms):
    return [(each.code, each.why) for each in found(*args, **terms)]


@pytest.mark.parametrize(
    ("title", "terms", "expected"),
    [
        ("A trial", {}, []),
        (
            "A trial",
            {"sections": ["Cardiovascular Medicine"]},
            [("heart", "section “Cardiovascular Medicine”")],
        ),
        ("A trial", {"sections": ["Medicine"]}, []),
        ("A trial", {"categories": [" nephrology. "]}, [("kidney", "category “nephrology.”")]),
        ("A trial", {"mesh": ["*Heart Failure/drug therapy"]}, None),
        (
            "Atrial Fibrillation in adults",
            {},
            [("heart", "“atrial fibrillation” in the title")],
        ),
        ("Atrial tachycardia and fibrillation", {}, []),
        ("Crohn’s Disease", {}, [("gut", "“crohn disease” in the title")]),
        ("Two strokes", {}, [("brain", "“stroke” in the title")]),
        ("Strokes of luck, heatstroke", {}, [("brain", "“stroke” in the title")]),
        ("Heatstroke", {}, []),
        ("Pregnancy with MS", {}, [("brain", "“ms” in the title")]),
        ("Dr and Ms Doe", {}, []),
        ("COVID‑19 in spring", {}, [("germs", "“covid-19” in the title")]),
        ("Lipoprotein(a) and age", {}, [("heart", "“lipoprotein(a)” in the title")]),
        ("A trial", {"keywords": ["acute stroke"]}, [("brain", "keyword “acute stroke”")]),
    ],
)
def test_words_lead_to_specialties_with_the_reason(title, terms, expected):
    if expected is None:
        expected = [("heart", f"MeSH term “{terms['mesh'][0]}”")]
    assert reasons(title, **terms) == expected


def test_sources_come_first_then_the_strongest_and_the_most_evidence_and_never_more_than_four():
    defaults = [Found("lung", "feed", "journal “Breath”")]

    several = found(
        "Stroke and atrial fibrillation in Crohn disease",
        defaults,
        mesh=["Pregnancy", "Heart Failure"],
        categories=["Nephrology"],
        keywords=["stroke"],
    )

    assert [each.code for each in several] == ["lung", "kidney", "heart", "birth"]
    assert [each.how for each in several] == ["feed", "rule", "rule", "rule"]
    assert several[2].why == "MeSH term “Heart Failure”"


@pytest.mark.parametrize(
    ("title", "mesh", "default", "expected"),
    [
        ("A trial", [], ("", ""), ("", "")),
        (
            "A trial",
            ["United States/epidemiology"],
            ("", ""),
            ("us", "MeSH term “United States/epidemiology”"),
        ),
        ("A trial", ["United States"], ("eu", "regulator “EMA”"), ("eu", "regulator “EMA”")),
        ("The NHS", [], ("", ""), ("uk", "“nhs” in the title")),
        ("The NHS and Medicare", [], ("", ""), ("", "")),
        ("The NHS", ["United States"], ("", ""), ("us", "MeSH term “United States”")),
    ],
)
def test_words_lead_to_a_region_unless_they_name_two(title, mesh, default, expected):
    assert pure.region_of(title=title, terms={"mesh": mesh}, default=default, rules=RULES) == expected


def test_topics_are_tags_whose_words_stand_in_title_or_keywords():
    tags = Phrases.of([("atrial fibrillation", 1), ("af", 2), ("sglt2 inhibitors", 3), ("it", 4)])

    def topics(title, *keywords):
        return pure.topics_of(title=title, keywords=keywords, tags=tags)

    assert topics("AF, or atrial fibrillation") == {1, 2}
    assert topics("What it takes", "SGLT2 inhibitor") == {3}
    assert topics("af and IT") == {4}


# with the database


@pytest.fixture
def heart(db):
    return make_specialty("Cardiovascular Disease", "207RC0000X")


@pytest.fixture
def kidney(db):
    return make_specialty("Nephrology", "207RN0300X")


def tags_of(article):
    rows = article.tags.order_by("specialty__name")
    return [(tag.specialty.name, tag.how, tag.why, tag.is_off) for tag in rows]


def rule(where, pattern, specialty=None, region=""):
    made = MappingRule.objects.create(where=where, pattern=pattern, specialty=specialty, region=region)
    mapping.forget()
    return made


def test_an_article_has_the_specialties_of_its_source_and_those_of_rules(heart, kidney):
    rule("category", "nephrology", kidney)
    article = make_article(
        make_source("Heartline", specialties=[heart]), terms={"categories": ["Nephrology"]}
    )

    mapping.map_article(article)

    assert tags_of(article) == [
        ("Cardiovascular Disease", "feed", "journal “Heartline”", False),
        ("Nephrology", "rule", "category “Nephrology”", False),
    ]
    assert {tag.shown_at for tag in article.tags.all()} == {article.shown_at}
    assert not article.is_general


def test_of_a_general_source_only_rules_speak_else_it_is_general_medicine(heart, kidney):
    rule("section", "nephrology", kidney)
    source = make_source(is_general=True, specialties=[heart])
    mapped, unmapped = make_article(source, terms={"sections": ["Nephrology"]}), make_article(source)

    mapping.remap([mapped, unmapped])

    assert [name for name, *_ in tags_of(mapped)] == ["Nephrology"]
    assert tags_of(unmapped) == []
    mapped.refresh_from_db(), unmapped.refresh_from_db()
    assert (mapped.is_general, unmapped.is_general) == (False, True)


def test_every_source_an_article_was_seen_in_speaks(heart):
    article = make_article(make_source(is_general=True))
    feed = make_feed(make_source("NEJM: Cardiology", specialties=[heart]))
    ArticleSource.objects.create(feed=feed, guid="1", article=article, content_hash="x")

    mapping.map_article(article)

    assert tags_of(article) == [("Cardiovascular Disease", "feed", "journal “NEJM: Cardiology”", False)]


def test_a_feed_of_one_field_speaks_for_what_was_seen_in_it(heart, kidney):
    source = make_source("The Heartline", short_name="Heartline", is_general=True)
    fields, plain = make_feed(source), make_feed(source)
    fields.specialties.set([heart, kidney])
    inside, outside = make_article(source), make_article(source)
    for guid, feed, article in ((1, plain, inside), (2, fields, inside), (3, plain, outside)):
        ArticleSource.objects.create(feed=feed, guid=str(guid), article=article, content_hash="x")

    mapping.remap([inside, outside])

    why = "feed “Heartline: Cardiovascular Disease, Nephrology”"
    assert tags_of(inside) == [
        ("Cardiovascular Disease", "feed", why, False),
        ("Nephrology", "feed", why, False),
    ]
    assert tags_of(outside) == []


def test_a_feed_made_after_rules_were_read_is_known(heart):
    article = make_article()
    mapping.map_article(article)
    feed = make_feed(article.source)
    feed.specialties.add(heart)
    ArticleSource.objects.create(feed=feed, guid="1", article=article, content_hash="x")

    mapping.map_article(article)

    assert article.tags.count() == 1


def test_articles_are_locked_in_one_order_and_what_points_to_them_is_not_kept_waiting(db, monkeypatch):
    articles = [make_article() for _ in range(3)]
    lots, one = [], mapping._map
    monkeypatch.setattr(mapping, "BATCH", 1)
    monkeypatch.setattr(mapping, "_map", lambda ids: lots.append(list(ids)) or one(ids))

    with CaptureQueriesContext(connection) as asked:
        mapping.remap(reversed(articles))

    assert lots == [[article.pk] for article in articles]
    assert sum("FOR NO KEY UPDATE OF" in query["sql"] for query in asked) == 3


def test_mapping_again_writes_nothing_and_a_rule_gone_takes_its_specialty_along(
    kidney, django_assert_num_queries
):
    gone = rule("keyword", "dialysis", kidney)
    article = make_article(make_source(is_general=True), "Dialysis at night")
    mapping.map_article(article)
    assert tags_of(article) == [("Nephrology", "rule", "“dialysis” in the title", False)]

    with django_assert_num_queries(
        6
    ):  # a savepoint about the article, where it was seen, its tags and topics
        mapping.map_article(article)
    gone.delete()
    mapping.forget()
    mapping.map_article(article)

    assert tags_of(article) == []
    assert article.is_general


def test_what_an_editor_said_stays(heart, kidney, staff):
    rule("keyword", "dialysis", kidney)
    rule("keyword", "nhs", region="uk")
    article = make_article(make_source(), "Dialysis in the NHS")
    mapping.map_article(article)

    mapping.correct(article=article, specialties=[heart], region="us", by=staff)
    mapping.map_article(article)

    assert tags_of(article) == [
        ("Cardiovascular Disease", "person", "", False),
        ("Nephrology", "person", "", True),
    ]
    assert (article.region, article.region_why) == ("us", mapping.BY_EDITOR)
    assert not article.is_general


def test_what_an_editor_left_alone_is_still_the_rules(heart, kidney, staff):
    ours = rule("keyword", "dialysis", kidney)
    article = make_article(make_source(), "Dialysis")
    mapping.map_article(article)

    mapping.correct(article=article, specialties=[heart, kidney], region="", by=staff)
    mapping.correct(article=article, specialties=[heart, kidney], region="", by=staff)

    assert [(name, how) for name, how, *_ in tags_of(article)] == [
        ("Cardiovascular Disease", "person"),
        ("Nephrology", "rule"),
    ]
    ours.delete()
    mapping.forget()
    mapping.map_article(article)
    assert [name for name, *_ in tags_of(article)] == ["Cardiovascular Disease"]


def test_an_editor_may_say_that_it_is_general_and_take_it_back(heart, staff):
    article = make_article(make_source(specialties=[heart]))
    mapping.map_article(article)

    article = mapping.correct(article=article, specialties=[], region="", by=staff)
    mapping.map_article(article)
    assert article.is_general

    article = mapping.correct(article=article, specialties=[heart], region="", by=staff)
    assert tags_of(article) == [("Cardiovascular Disease", "person", "", False)]
    assert not article.is_general


def test_a_correction_reaches_the_discussion(heart, staff, physician):
    article = make_article(make_source())
    discussion = discussing.discuss(article=article, user=physician.user)

    mapping.correct(article=article, specialties=[heart], region="", by=staff)

    assert list(discussion.question.specialties.all()) == [heart]


def test_a_correction_has_its_limits(heart, staff):
    article = make_article(make_source())

    many = [make_specialty(f"Specialty {number}") for number in range(7)]

    with pytest.raises(mapping.TooManySpecialties):
        mapping.correct(article=article, specialties=many, region="", by=staff)
    with pytest.raises(mapping.UnknownRegion):
        mapping.correct(article=article, specialties=[], region="mars", by=staff)


def test_only_a_person_says_that_a_specialty_is_none(heart):
    article = make_article(make_source())

    with pytest.raises(IntegrityError), transaction.atomic():
        ArticleSpecialty.objects.create(
            article=article, specialty=heart, how="rule", is_off=True, shown_at=article.shown_at
        )


def test_the_region_of_a_regulator_is_that_of_its_alerts(db):
    article = make_article(make_source("MHRA", kind="regulator", region="uk", is_general=True))

    mapping.map_article(article)

    assert (article.region, article.region_why) == ("uk", "regulator “MHRA”")


def test_topics_follow_the_tags_that_are_not_merged(db):
    tag = Tag.objects.create(slug="dialysis", name="dialysis")
    Tag.objects.create(slug="hemodialysis", name="hemodialysis", merged_into=tag)
    article = make_article(make_source(), "Hemodialysis", terms={"keywords": ["Dialysis"]})
    other = make_article(article.source, "Hemodialysis")

    mapping.remap([article, other])

    assert [topic.tag for topic in article.topics.all()] == [tag]
    assert not other.topics.exists()


def test_a_lot_of_articles_costs_as_much_as_one(heart, django_assert_max_num_queries):
    source = make_source(specialties=[heart])
    articles = [make_article(source) for _ in range(5)]

    with django_assert_max_num_queries(13):
        assert mapping.remap(Article.objects.only("pk")) == 5

    assert all(article.tags.count() == 1 for article in articles)


def test_a_source_made_after_rules_were_read_is_known(heart):
    mapping.map_article(make_article(make_source()))

    article = make_article(make_source(specialties=[heart]))
    mapping.map_article(article)

    assert article.tags.count() == 1
