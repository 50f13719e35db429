import csv
import io
import re

import pytest

from accounts import reference as people
from accounts.models import Specialty
from newsfeed import mapping as pure
from newsfeed import reference
from newsfeed.desk.sources import _address_trouble, issn_holds
from newsfeed.models import Feed, MappingRule, Source
from newsfeed.services import mapping


def rows(name):
    with (reference.DATA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def choices():
    with people.SOURCE.open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row["specialty"] for row in csv.DictReader(lines) if row["pick_list"] == "yes"}


def load():
    out = io.StringIO()
    reference.load(out)
    return out.getvalue()


@pytest.fixture
def loaded(db):
    people.load(io.StringIO())
    return load()


def test_shipped_sources_hold_together(choices):
    sources = rows("sources.csv")
    numbers = [row["e_issn"] for row in sources if row["e_issn"]]

    assert all(issn_holds(number) for number in numbers)
    assert all(code in choices for row in sources for code in row["specialties"].split())
    assert all(row["specialties"] or row["is_general"] == "yes" for row in sources)
    assert all(row["license"] for row in sources if row["shows_abstracts"] == "yes")
    assert all(re.fullmatch(r"[a-z0-9-]{2,60}", row["slug"]) for row in sources)


def test_shipped_feeds_hold_together(choices):
    feeds, slugs = rows("feeds.csv"), {row["slug"] for row in rows("sources.csv")}

    assert {row["source"] for row in feeds} == slugs
    assert all(code in choices for row in feeds for code in row["specialties"].split())
    assert not [row for row in feeds if _address_trouble(row["kind"], row["address"])]
    assert all(row["address"].startswith("https://") for row in feeds if row["kind"] == "feed")
    for slug in slugs:
        places = [int(row["place"]) for row in feeds if row["source"] == slug]
        assert places == list(range(1, len(places) + 1)), slug


def test_what_is_ahead_of_an_issue_or_of_one_field_is_read_beside_it():
    feeds = rows("feeds.csv")
    ahead = ("onlineFirst_", "/ahead.xml", "advanceAccess_", "_online.xml")
    beside = {row["address"] for row in feeds if row["is_beside"] == "yes"}

    assert beside == {
        row["address"] for row in feeds if row["specialties"] or any(mark in row["address"] for mark in ahead)
    }
    assert {row["source"] for row in feeds} == {row["source"] for row in feeds if row["is_beside"] == "no"}
    assert {row["is_beside"] for row in feeds} == {"yes", "no"}


def test_only_warnings_are_safety_alerts():
    kinds = {row["slug"]: row["item_kind"] for row in rows("sources.csv")}

    assert {*kinds.values()} == {"article", "preprint", "alert", "news"}
    assert {slug for slug, kind in kinds.items() if kind == "alert"} == {
        *("fda-medwatch", "fda-recalls", "mhra-drug-safety-update", "mhra-alerts"),
    }
    for slug in ("fda-press", "fda-drugs", "cdc-newsroom", "ema", "tctmd"):
        assert kinds[slug] == "news"
    assert (kinds["mmwr"], kinds["medrxiv"]) == ("article", "preprint")


def test_every_specialty_of_a_member_has_a_rule(choices):
    assert choices.keys() - {row["specialty"] for row in rows("rules.csv")} == set()


def test_shipped_rules_hold_together(choices):
    rules = rows("rules.csv")

    assert all(row["pattern"] == pure.folded(row["pattern"]) for row in rules)
    assert all(bool(row["specialty"]) != bool(row["region"]) for row in rules)
    assert all(choices[row["specialty"]] == row["name"] for row in rules if row["specialty"])


@pytest.mark.parametrize(
    ("title", "terms", "expected"),
    [
        ("Renal Denervation in Resistant Hypertension with CKD Stage 3b–4", {}, {"Nephrology"}),
        ("Tenecteplase 4.5 to 12 Hours after Posterior-Circulation Stroke", {}, {"Vascular Neurology"}),
        ("Dermoscopic Predictors of Invasion in Lentigo Maligna", {}, {"Dermatology"}),
        ("Nasal High-Flow in Infants with Bronchiolitis", {}, {"Pediatrics"}),
        ("Antibiotics for Gram-Negative Bacteremia", {}, {"Infectious Disease"}),
        ("A trial", {"sections": ["Infectious Diseases (except HIV/AIDS)"]}, {"Infectious Disease"}),
        ("A trial", {"mesh": ["Depressive Disorder, Major/drug therapy"]}, {"Psychiatry"}),
        ("A trial", {"categories": ["emergency medicine"]}, {"Emergency Medicine"}),
        ("Surfactant for Extremely Preterm Infants", {}, {"Neonatal-Perinatal Medicine"}),
        ("Chemoembolization in Hepatocellular Carcinoma", {}, {"Interventional Radiology"}),
        ("Lutetium-177 PSMA Radioligand Therapy", {}, {"Nuclear Medicine"}),
        ("Dravet Syndrome in Children", {}, {"Child Neurology", "Pediatrics"}),
        ("A trial", {"mesh": ["Heart Defects, Congenital/surgery"]}, {"Pediatric Cardiology"}),
        ("Stress Urinary Incontinence", {}, {"Urogynecology & Reconstructive Pelvic Surgery"}),
        ("Care of the Elderly", {"sections": ["Original Research"]}, set()),
        ("Hearing Aids for All", {}, set()),
    ],
)
def test_shipped_rules_know_what_is_what(title, terms, expected):
    rules = pure.Rules.of(
        pure.Rule(row["where"], row["pattern"], row["name"] or None, row["region"])
        for row in rows("rules.csv")
    )

    found = {each.code for each in pure.specialties_of(title=title, terms=terms, defaults=[], rules=rules)}

    assert found >= expected
    assert bool(found) == bool(expected)


def test_all_of_it_is_loaded_once(loaded, django_assert_max_num_queries):
    with django_assert_max_num_queries(9):
        again = load()

    sources, feeds = len(rows("sources.csv")), len(rows("feeds.csv"))
    assert f"{sources} sources ({sources} new), {feeds} feeds ({feeds} new)" in loaded
    assert again.count("(0 new)") == 3
    assert [Source.objects.count(), Feed.objects.count()] == [sources, feeds]
    stroke = Source.objects.get(slug="stroke")
    assert {each.name for each in stroke.specialties.all()} == {"Vascular Neurology", "Neurology"}
    assert list(Feed.objects.filter(source__slug="blood").values_list("kind", flat=True)) == [
        *("pubmed", "crossref", "feed"),
    ]
    nejm = Source.objects.get(slug="nejm")
    assert not nejm.shows_abstracts
    assert nejm.feeds.filter(is_beside=True).count() == 11
    assert {each.name for each in nejm.feeds.get(address__contains="neurosurgery").specialties.all()} == {
        *("Neurology", "Neurological Surgery"),
    }
    assert Source.objects.get(slug="fda-press").item_kind == "news"
    assert Source.objects.get(slug="plos-medicine").license == "CC BY 4.0"


def test_what_an_operator_changed_stays(loaded):
    Source.objects.filter(slug="heart").update(is_on=False, name="Heart (London)")
    Source.objects.get(slug="stroke").specialties.clear()
    Feed.objects.filter(source__slug="bmj", place=1).update(
        address="https://www.bmj.com/new.xml", is_on=False
    )
    MappingRule.objects.filter(where="keyword", pattern="stroke").update(is_on=False)
    Feed.objects.filter(source__slug="jama", place=2).update(is_beside=False)
    Feed.objects.get(source__slug="nejm", place=4).specialties.clear()
    before = MappingRule.objects.count()

    assert load().count("(0 new)") == 3

    heart = Source.objects.get(slug="heart")
    assert (heart.is_on, heart.name) == (False, "Heart (London)")
    assert not Source.objects.get(slug="stroke").specialties.exists()
    assert Feed.objects.get(source__slug="bmj", place=1).address == "https://www.bmj.com/new.xml"
    assert not Feed.objects.get(source__slug="jama", place=2).is_beside
    assert not Feed.objects.get(source__slug="nejm", place=4).specialties.exists()
    assert MappingRule.objects.count() == before
    assert not MappingRule.objects.filter(where="keyword", pattern="stroke", is_on=True).exists()


def test_what_is_new_is_added_beside_what_operators_made(db):
    Specialty.objects.create(
        code="207RC0000X", name="Heart", group="x", slug="heart", is_choice=True, is_physician=True
    )
    own = Source.objects.create(slug="our-jama", name="Our JAMA", short_name="J", e_issn="1538-3598")

    load()

    assert not Source.objects.filter(slug="jama").exists()  # the same journal, by its ISSN
    assert own.feeds.count() == 0
    circulation = Source.objects.get(slug="circulation")
    assert [each.pk for each in circulation.specialties.all()] == ["207RC0000X"]
    assert not MappingRule.objects.exclude(specialty__in=["207RC0000X"]).exclude(specialty=None).exists()


def test_a_rule_that_was_switched_off_maps_no_more(loaded):
    def is_known(title):
        mapping.forget()
        return bool(list(mapping.known().rules.words.found_in(title)))

    assert is_known("Stroke")
    MappingRule.objects.filter(pattern="stroke").update(is_on=False)
    assert not is_known("Stroke")
