import random
import threading
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DataError, IntegrityError, OperationalError, connection
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from newsfeed.models import (
    Article,
    ArticleSource,
    Feed,
    LogEntry,
    OwnPaper,
    ReadMark,
    Relation,
    SavedArticle,
)
from newsfeed.parsing.entries import Entry
from newsfeed.services import discussing, ingesting
from newsfeed.services.ingesting import Tally, ingest
from newsfeed.services.mapping import BY_EDITOR
from newsfeed.tests.factories import make_article, make_feed, make_source
from newsfeed.tests.sample_feeds import EXPECTED, NAMES, entries_of, make_sample_feeds
from questions.models import Question

pytestmark = pytest.mark.django_db

Kind, State = Article.Kind, Article.State
WORKS = EXPECTED["unique_after_dedupe"]
DOIS = sorted({doi for file in EXPECTED["files"].values() for doi in file["dois"]})
PMIDS = sorted({pmid for file in EXPECTED["files"].values() for pmid in file["pmids"]})


@pytest.fixture
def feed():
    return make_feed(make_source(shows_abstracts=True, license="CC BY 4.0"))


def entry(number=1, **facts):
    fields = {
        "guid": f"guid-{number}",
        "url": f"https://journal.example.org/{number}",
        "title": f"Trial {number}",
        "doi": f"10.5555/t.{number}",
        "authors": ("Okafor AN",),
        **facts,
    }
    return Entry(**fields)


def only():
    return Article.objects.get()


def check_the_samples(feeds):
    """What EXPECTED.json says of all eight files together, and that each item of each file leads to its work."""
    assert Article.objects.count() == WORKS["total"]
    assert sorted(Article.objects.exclude(doi=None).values_list("doi", flat=True)) == DOIS
    assert sorted(Article.objects.exclude(pmid=None).values_list("pmid", flat=True)) == PMIDS
    assert len(DOIS) == WORKS["by_doi"]
    assert Article.objects.filter(doi=None).exclude(pmid=None).count() == WORKS["pmid_only"]
    assert Article.objects.filter(kind=Kind.ALERT).count() == WORKS["regulator_alerts"]
    assert Article.objects.filter(kind=Kind.NEWS).count() == WORKS["society_news"]
    for name, feed in feeds.items():
        seen = dict(feed.sightings.values_list("guid", "article__doi"))
        assert seen == {one.guid: one.doi for one in entries_of(name)}


class TestSamples:
    def test_all_eight_give_what_is_expected_and_again_nothing(self, django_assert_max_num_queries):
        feeds = make_sample_feeds()

        tallies = {name: ingest(feed=feed, entries=entries_of(name)) for name, feed in feeds.items()}

        check_the_samples(feeds)
        self.check_versions_updates_and_relations()
        assert sum(tally.new for tally in tallies.values()) == WORKS["total"]
        before = list(Article.objects.order_by("pk").values())
        with django_assert_max_num_queries(len(feeds)):
            for name, feed in feeds.items():
                tally = ingest(feed=feed, entries=entries_of(name))
                assert (tally.new, tally.changed) == (0, 0)
        assert list(Article.objects.order_by("pk").values()) == before

    @pytest.mark.parametrize("seed", [1, 2])
    def test_any_order_gives_the_same_works(self, seed):
        feeds = make_sample_feeds()
        order = random.Random(seed)
        names = order.sample(NAMES, len(NAMES))

        for name in names:
            ingest(feed=feeds[name], entries=order.sample(entries_of(name), len(entries_of(name))))

        check_the_samples(feeds)

    def check_versions_updates_and_relations(self):
        preprint = Article.objects.get(doi="10.5555/2026.01.05.26300001")
        assert (preprint.kind, preprint.version) == (Kind.PREPRINT, 2)
        assert preprint.link.endswith("v2")
        alert = Article.objects.get(link__endswith="/warming-blankets")
        assert alert.title.startswith("UPDATE: ")
        relation = Relation.objects.get()
        assert (relation.kind, relation.related.doi) == ("about", "10.5555/hl.2026.0101")
        assert relation.article.kind == Kind.NEWS
        article = Article.objects.get(doi="10.5555/nr.5.88")
        assert article.authors == ["Halloran S", "Mukherjee D", "Lopez-Ibarra F"]


class TestIdentity:
    @pytest.mark.parametrize(
        "facts",
        [
            {"guid": "g2", "url": "https://other.example.org/1"},  # by DOI
            {"guid": "g2", "url": "https://other.example.org/1", "doi": None, "pmid": 99900001},
            {"guid": "g2", "url": "http://www.journal.example.org/1/?utm_source=x", "doi": None},
        ],
    )
    def test_a_work_is_known_by_doi_or_pmid_or_address_in_other_feeds(self, feed, facts):
        ingest(feed=feed, entries=[entry(pmid=99900001)])

        tally = ingest(feed=make_feed(), entries=[entry(**facts)])

        assert tally.new == 0
        assert only().sightings.count() == 2

    def test_a_work_without_numbers_or_address_is_known_by_its_guid_in_its_own_feed_only(self, feed):
        bare = {"doi": None, "url": ""}
        ingest(feed=feed, entries=[entry(**bare)])

        assert ingest(feed=feed, entries=[entry(**bare, title="Trial 1, revised")]) == Tally(changed=1)
        assert ingest(feed=make_feed(), entries=[entry(**bare)]) == Tally(new=1)

    def test_another_doi_at_the_same_address_or_guid_is_another_work(self, feed):
        ingest(feed=feed, entries=[entry()])

        assert ingest(feed=feed, entries=[entry(doi="10.5555/t.2")]) == Tally(new=1)

        first, second = Article.objects.order_by("pk")
        assert (first.url_key, second.url_key) == ("https://journal.example.org/1", None)
        assert ArticleSource.objects.get().article == second

    def test_a_pmid_that_another_doi_has_is_not_given_twice(self, feed):
        ingest(feed=feed, entries=[entry(1, pmid=99900001)])

        assert ingest(feed=feed, entries=[entry(2, pmid=99900001)]) == Tally(new=1)

        assert Article.objects.get(doi="10.5555/t.2").pmid is None

    def test_news_at_the_address_of_an_article_is_related_and_not_merged(self, feed):
        ingest(feed=feed, entries=[entry()])
        about = {"kind": Kind.NEWS, "doi": None, "relations": (("about", "10.5555/t.1"),)}

        ingest(feed=make_feed(), entries=[entry(**about, title="Trial 1 in the news")])

        news = Article.objects.get(kind=Kind.NEWS)
        assert Relation.objects.get(article=news).related == Article.objects.get(doi="10.5555/t.1")

    def test_news_that_an_editor_called_an_article_stays_the_same_row(self, feed):
        news = {"kind": Kind.NEWS, "doi": None}
        ingest(feed=feed, entries=[entry(**news)])
        Article.objects.update(kind=Kind.GUIDELINE, edited_by_hand=True)

        assert ingest(feed=feed, entries=[entry(**news, authors=("Moreau J",))]) == Tally(changed=1)
        assert (only().kind, only().authors) == (Kind.GUIDELINE, ["Moreau J"])


class TestOnePage:
    """Items of one page, such as the talks of a program."""

    def talk(self, place, **facts):
        facts = {"guid": place, "url": f"https://society.example.org/program#{place}", "doi": None, **facts}
        return entry(title=f"Talk {place}", **facts)

    def test_items_that_share_a_page_are_not_one_by_it(self, feed):
        talks = [self.talk("a"), self.talk("b")]

        assert ingest(feed=feed, entries=talks) == Tally(new=2)
        assert ingest(feed=feed, entries=talks) == Tally(same=2)
        changed = [self.talk("a", authors=("Moreau J",)), self.talk("b", authors=("Moreau J",))]
        assert ingest(feed=feed, entries=changed) == Tally(changed=2)
        assert list(Article.objects.values_list("url_key", flat=True)) == [None, None]

    def test_guids_alone_tell_them_apart_too(self, feed):
        page = "https://society.example.org/program"

        assert ingest(feed=feed, entries=[self.talk("a", url=page), self.talk("b", url=page)]) == Tally(new=2)

    def test_they_are_told_apart_also_when_they_come_one_after_another(self, feed):
        for place in ("a", "b"):
            assert ingest(feed=feed, entries=[self.talk(place)]) == Tally(new=1)


class TestFailures:
    """What is wrong with one entry costs no other."""

    def test_the_others_are_kept(self, feed):
        entries = [
            entry(1),
            entry(2, title="A\x00"),
            entry(3, title="A\ud800"),
            entry(4, title="A" * 600),
            entry(5),
        ]

        assert ingest(feed=feed, entries=entries) == Tally(new=2, failed=3)
        assert sorted(Article.objects.values_list("doi", flat=True)) == ["10.5555/t.1", "10.5555/t.5"]

    def test_where_all_fail_it_is_said(self, feed):
        with pytest.raises(DataError):
            ingest(feed=feed, entries=[entry(1, title="A" * 600), entry(2, title="A" * 600)])

    def test_a_deadlock_is_tried_once_more_and_another_fault_of_the_database_is_not(self, feed, monkeypatch):
        take, tries = ingesting._take, []

        def unlucky(feed, entry):
            tries.append(entry.guid)
            if len(tries) == 1:
                raise OperationalError from DeadlockDetected()
            if entry.guid == "guid-2":
                raise OperationalError
            return take(feed, entry)

        monkeypatch.setattr(ingesting, "_take", unlucky)

        assert ingest(feed=feed, entries=[entry(1), entry(2)]) == Tally(new=1, failed=1)
        assert tries == ["guid-1", "guid-1", "guid-2"]

    def test_the_end_of_its_time_is_no_failure_of_an_entry(self, feed, monkeypatch):
        def late(feed, entry):
            raise SoftTimeLimitExceeded

        monkeypatch.setattr(ingesting, "_take", late)

        with pytest.raises(SoftTimeLimitExceeded):
            ingest(feed=feed, entries=[entry(1), entry(2)])


class TestUpdating:
    def test_what_was_said_before_costs_one_query(self, feed, django_assert_num_queries):
        entries = [entry(number) for number in range(20)]
        ingest(feed=feed, entries=entries)

        with django_assert_num_queries(1):
            assert ingest(feed=feed, entries=entries) == Tally(same=20)

    def test_an_edit_changes_the_article_in_place(self, feed):
        day = timezone.now() - timedelta(days=2)
        ingest(feed=feed, entries=[entry(published_at=day)])
        before = only()
        edit = entry(
            title="Trial 1, revised",
            authors=("Okafor AN", "Moreau J"),
            abstract="<p>New.</p>",
            published_at=timezone.now(),
            url="https://journal.example.org/moved",
        )

        assert ingest(feed=feed, entries=[edit]) == Tally(changed=1)

        after = only()
        assert (after.title, after.authors, after.abstract) == (edit.title, [*edit.authors], edit.abstract)
        assert (after.shown_at, after.first_seen_at) == (before.shown_at, before.first_seen_at)
        assert (after.published_at, after.link) == (before.published_at, edit.url)
        assert after.url_key == edit.url
        assert after.changed_at
        assert before.changed_at is None
        assert "revised" in after.search_text

    def test_a_link_that_moved_is_followed_and_a_late_date_filled_in(self, feed):
        ingest(feed=feed, entries=[entry(), entry(2)])
        shown_at = Article.objects.get(doi="10.5555/t.1").shown_at
        day = timezone.now() - timedelta(days=2)
        moved = entry(url="https://journal.example.org/moved", published_at=day)

        assert ingest(feed=feed, entries=[moved]) == Tally(changed=1)
        assert ingest(feed=feed, entries=[moved]) == Tally(same=1)

        after = Article.objects.get(doi="10.5555/t.1")
        assert (after.link, after.url_key, after.published_at) == (moved.url, moved.url, day)
        assert after.shown_at == shown_at
        assert after.changed_at is None

    def test_neither_another_source_nor_an_index_nor_another_item_moves_the_link(self, feed):
        ingest(feed=feed, entries=[entry()])
        index = make_feed(feed.source, kind=Feed.Kind.PUBMED)

        for number, one in enumerate((make_feed(), index)):
            for _ in range(2):
                ingest(feed=one, entries=[entry(guid="there", url=f"https://doi.example.org/{number}{_}")])
        ingest(feed=feed, entries=[entry(guid="again", url="https://journal.example.org/toc/1")])

        assert only().link == "https://journal.example.org/1"

    def test_an_address_that_is_another_works_is_not_taken_with_the_link(self, feed):
        ingest(feed=feed, entries=[entry(1), entry(2)])

        ingest(feed=feed, entries=[entry(1, url="https://journal.example.org/2")])

        first = Article.objects.get(doi="10.5555/t.1")
        assert (first.link, first.url_key) == (
            "https://journal.example.org/2",
            "https://journal.example.org/1",
        )

    def test_a_hand_edited_title_and_kind_stay(self, feed):
        ingest(feed=feed, entries=[entry()])
        Article.objects.update(title="By an editor", kind=Kind.GUIDELINE, edited_by_hand=True)

        ingest(feed=feed, entries=[entry(title="Correction: A", kind=Kind.CORRECTION, authors=("Moreau J",))])

        assert (only().title, only().kind, only().authors) == ("By an editor", Kind.GUIDELINE, ["Moreau J"])

    def test_a_removed_article_stays_removed_and_as_it_is_but_learns_its_numbers(self, feed):
        ingest(feed=feed, entries=[entry(doi=None)])
        Article.objects.update(state=State.REMOVED)

        ingest(feed=feed, entries=[entry(title="Other")])
        ingest(feed=make_feed(), entries=[entry(guid="g9", url="https://other.example.org/9")])

        assert (only().state, only().title, only().doi) == (State.REMOVED, "Trial 1", "10.5555/t.1")

    def test_a_preprint_changes_only_upwards(self, feed):
        for version, title in ((2, "Second"), (1, "First"), (3, "Third")):
            facts = {"guid": f"v{version}", "url": f"https://prints.example.org/1v{version}"}
            ingest(feed=feed, entries=[entry(version=version, title=title, kind=Kind.PREPRINT, **facts)])
            assert only().title == {1: "Second"}.get(version, title)

        assert (only().version, only().link) == (3, "https://prints.example.org/1v3")
        assert only().sightings.count() == 3

    def test_another_source_fills_what_is_missing_and_changes_nothing_else(self, feed):
        ingest(feed=feed, entries=[entry(authors=(), section="Original Research")])
        richer = make_feed(make_source(shows_abstracts=True, license="CC0"))
        facts = {
            "pmid": 99900001,
            "title": "TRIAL 1.",
            "authors": ("Okafor AN",),
            "abstract": "<p>Found.</p>",
            "mesh": ("Stroke",),
            "keywords": ("clots",),
            "journal": "Invented Heart",
            "kind": Kind.GUIDELINE,
        }

        assert ingest(feed=richer, entries=[entry(guid="pubmed:99900001", **facts)]) == Tally(changed=1)

        article = only()
        assert (article.title, article.source) == ("Trial 1", feed.source)
        assert (article.pmid, article.authors, article.abstract) == (99900001, ["Okafor AN"], "<p>Found.</p>")
        assert (article.journal, article.kind) == ("Invented Heart", Kind.GUIDELINE)
        assert article.terms == {
            "sections": ["Original Research"],
            "categories": [],
            "mesh": ["Stroke"],
            "keywords": ["clots"],
        }

    def test_silence_of_a_feed_takes_nothing_away(self, feed):
        ingest(feed=feed, entries=[entry(abstract="<p>Found.</p>")])

        ingest(feed=feed, entries=[entry(title="Trial 1, revised", authors=(), abstract="")])

        assert (only().authors, only().abstract) == (["Okafor AN"], "<p>Found.</p>")

    def test_of_several_updates_under_one_guid_the_newest_counts(self, feed):
        now = timezone.now()
        updates = [
            entry(title=f"Update {hours}", published_at=now - timedelta(hours=hours)) for hours in (3, 1, 2)
        ]

        assert ingest(feed=feed, entries=updates) == Tally(new=1)
        assert only().title == "Update 1"
        assert ingest(feed=feed, entries=updates) == Tally(same=1)


class TestNewArticles:
    def test_abstracts_are_kept_only_where_the_source_may_show_them(self, feed):
        words = "<p>" + "word " * 221 + "</p>"
        for number, one in enumerate((feed, make_feed())):
            ingest(feed=one, entries=[entry(number, abstract=words)])

        shown, kept_out = Article.objects.order_by("doi")
        assert (shown.abstract, shown.minutes) == (words, 2)
        assert (kept_out.abstract, kept_out.minutes) == ("", None)
        assert "word" not in kept_out.search_text

    @pytest.mark.parametrize(("hours", "is_published"), [(-48, True), (12, False), (None, False)])
    def test_it_is_shown_by_its_date_unless_that_is_ahead(self, feed, hours, is_published):
        published_at = timezone.now() + timedelta(hours=hours) if hours else None

        ingest(feed=feed, entries=[entry(published_at=published_at)])

        assert only().published_at == published_at
        assert only().shown_at == (published_at if is_published else only().first_seen_at)

    def test_the_journal_is_named_where_it_is_not_the_source(self, feed):
        own = f"The {feed.source.name.upper()}."
        ingest(feed=feed, entries=[entry(1, journal=own), entry(2, journal="Other")])
        ingest(feed=make_feed(kind=Feed.Kind.PUBMED), entries=[entry(3, journal="Inv J")])

        assert list(Article.objects.order_by("doi").values_list("journal", flat=True)) == ["", "Other", ""]

    def test_it_is_found_by_its_words_without_accents(self, feed):
        ingest(feed=feed, entries=[entry(title="Waldenström", authors=("Sørensen K",), keywords=("IgM",))])

        for word in ("waldenstrom", "sorensen", "igm", feed.source.name.lower()):
            assert word in only().search_text

    def test_it_is_mapped_and_again_when_another_source_shows_it(self, feed, monkeypatch):
        mapped = []
        monkeypatch.setattr(ingesting.mapping, "map_article", lambda article: mapped.append(article.pk))
        ingest(feed=feed, entries=[entry()])
        ingest(feed=feed, entries=[entry(guid="again")])
        assert len(mapped) == 1

        ingest(feed=make_feed(), entries=[entry()])

        assert len(mapped) == 2

    def test_one_that_the_admin_makes_meanwhile_is_found_at_the_second_try(self, feed, monkeypatch):
        take = ingesting._take

        def raced(feed, entry):
            monkeypatch.setattr(ingesting, "_take", take)
            make_article(doi=entry.doi)
            raise IntegrityError

        monkeypatch.setattr(ingesting, "_take", raced)

        assert ingest(feed=feed, entries=[entry()]).new == 0
        assert only().sightings.get().guid == "guid-1"


class TestRelations:
    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_a_correction_and_its_original_find_each_other_in_either_order(self, feed, order):
        both = [
            entry(1),
            entry(2, kind=Kind.CORRECTION, relations=(("corrects", "10.5555/t.1"),)),
        ]

        for number in order:
            ingest(feed=feed, entries=[both[number]])

        relation = Relation.objects.get()
        assert (relation.article.doi, relation.related.doi) == ("10.5555/t.2", "10.5555/t.1")

    def test_an_original_that_learns_its_doi_later_is_found(self, feed):
        ingest(feed=feed, entries=[entry(1, doi=None), entry(2, relations=(("retracts", "10.5555/t.1"),))])
        assert Relation.objects.get().related is None

        ingest(feed=feed, entries=[entry(1)])

        assert Relation.objects.get().related.doi == "10.5555/t.1"


class TestJoining:
    @pytest.fixture
    def two(self, feed):
        """One work, first seen twice: by DOI in a journal, by PMID elsewhere."""
        ingest(feed=feed, entries=[entry(1)])
        ingest(feed=make_feed(), entries=[entry(2, doi=None, pmid=99900001, mesh=("Stroke",))])
        return Article.objects.get(doi="10.5555/t.1"), Article.objects.get(pmid=99900001)

    def tell(self):
        """The entry that has both numbers."""
        return ingest(feed=make_feed(), entries=[entry(3, doi="10.5555/t.1", pmid=99900001)])

    def test_an_entry_with_both_numbers_makes_one_of_two(self, two):
        assert self.tell() == Tally(changed=1)

        assert only() == two[0]
        assert (only().doi, only().pmid) == ("10.5555/t.1", 99900001)
        assert only().terms["mesh"] == ["Stroke"]
        assert only().sightings.count() == 3

    def test_what_members_did_with_either_is_kept(self, two, physician, colleague):
        first, second = two
        for model in (SavedArticle, ReadMark, OwnPaper):
            model.objects.create(member=physician, article=first)
            model.objects.create(member=physician, article=second)
            model.objects.create(member=colleague, article=second)
        LogEntry.objects.create(member=physician, article=first, minutes=400, reflection="One")
        LogEntry.objects.create(member=physician, article=second, minutes=300, reflection="Two")
        LogEntry.objects.create(member=colleague, article=second, minutes=5)

        self.tell()

        for model in (SavedArticle, ReadMark, OwnPaper):
            rows = model.objects.values_list("member", "article")
            assert sorted(rows) == sorted([(physician.pk, first.pk), (colleague.pk, first.pk)])
        logged = LogEntry.objects.get(member=physician)
        assert (logged.article, logged.minutes, logged.reflection) == (first, 600, "One\nTwo")
        assert LogEntry.objects.get(member=colleague).article == first

    def test_an_editors_word_about_the_other_is_kept(self, two, physician):
        first, second = two
        specialty = physician.specialty
        first.tags.create(specialty=specialty, how="rule", shown_at=first.shown_at)
        second.tags.create(specialty=specialty, how="person", is_off=True, shown_at=second.shown_at)
        said = {"title": "By an editor", "edited_by_hand": True, "kind": Kind.GUIDELINE, "lines": ["Key"]}
        Article.objects.filter(pk=second.pk).update(region="uk", region_why=BY_EDITOR, **said)

        self.tell()

        tag = only().tags.get(specialty=specialty)
        assert (tag.how, tag.is_off, tag.shown_at) == ("person", True, first.shown_at)
        assert (only().title, only().lines, only().minutes) == ("By an editor", ["Key"], None)
        assert (only().kind, only().edited_by_hand) == (Kind.GUIDELINE, True)
        assert (only().region, only().region_why) == ("uk", BY_EDITOR)

    def test_an_editors_word_about_the_one_that_stays_is_kept_too(self, two):
        said = {"title": "By an editor", "edited_by_hand": True, "lines": ["Key"], "region": "us"}
        Article.objects.filter(pk=two[0].pk).update(region_why=BY_EDITOR, **said)
        other = {"title": "Other", "lines": ["Other"], "region": "uk", "region_why": BY_EDITOR}
        Article.objects.filter(pk=two[1].pk).update(version=2, **other)

        self.tell()

        assert (only().title, only().lines, only().region) == ("By an editor", ["Key"], "us")

    def test_relations_of_both_and_to_both_are_kept_once(self, two):
        first, second = two
        third = make_article()
        for article in two:
            Relation.objects.create(article=article, kind="about", doi="10.5555/x")
            Relation.objects.create(article=third, kind="about", doi=f"10.5555/{article.pk}", related=article)
        Relation.objects.create(article=second, kind="corrects", doi="10.5555/y")

        self.tell()

        assert sorted(first.relations.values_list("kind", "doi")) == [
            ("about", "10.5555/x"),
            ("corrects", "10.5555/y"),
        ]
        assert set(third.relations.values_list("related", flat=True)) == {first.pk}

    def test_the_one_that_is_discussed_stays(self, two, physician):
        second = two[1]
        discussing.discuss(article=second, user=physician.user)

        self.tell()

        assert only() == second
        assert (only().doi, only().pmid) == ("10.5555/t.1", 99900001)

    def test_two_discussions_stay_two(self, two, physician):
        for article in two:
            discussing.discuss(article=article, user=physician.user)

        self.tell()

        assert Article.objects.filter(pk__in=[article.pk for article in two]).count() == 2
        assert Article.objects.get(doi="10.5555/t.1").pmid is None
        assert Question.objects.count() == 2

    def test_what_was_removed_stays_removed(self, two):
        Article.objects.filter(pmid=99900001).update(state=State.REMOVED)

        self.tell()

        assert only().state == State.REMOVED

    def test_works_with_numbers_that_contradict_stay_apart(self, two):
        Article.objects.filter(doi="10.5555/t.1").update(pmid=99900777)

        self.tell()

        assert sorted(Article.objects.values_list("pmid", flat=True)) == [99900001, 99900777]


def in_parallel(rounds):
    """Two workers take in the same feeds at the same time, one backwards; nothing may be lost or made twice."""
    feeds = make_sample_feeds()
    for _ in range(rounds):
        Article.objects.all().delete()
        barrier, troubles = threading.Barrier(2, timeout=30), []

        def work(names, barrier=barrier, troubles=troubles):
            try:
                barrier.wait()
                for name in names:
                    ingest(feed=feeds[name], entries=entries_of(name))
            except Exception as trouble:
                troubles.append(trouble)
            finally:
                connection.close()

        workers = [threading.Thread(target=work, args=[names]) for names in (NAMES, NAMES[2::-1] + NAMES[3:])]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert troubles == []
        check_the_samples(feeds)
        assert Relation.objects.get().related.doi == "10.5555/hl.2026.0101"


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_no_work_twice_and_lose_none():
    in_parallel(2)


@pytest.mark.scale
@pytest.mark.django_db(transaction=True)
def test_two_workers_ten_times():
    in_parallel(10)


def test_a_new_title_reaches_the_discussion(feed, physician):
    ingest(feed=feed, entries=[entry()])
    discussion = discussing.discuss(article=only(), user=physician.user)

    ingest(feed=feed, entries=[entry(title="Another title of the same work")])

    discussion.question.refresh_from_db()
    assert discussion.question.title == "Another title of the same work"
