"""axe on every page, as each kind of person sees it, on a phone and on a desk, in both themes."""

import io
import time

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings as site_settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Member, User
from questions.models import Post, Question
from questions.services import writing
from verification.models import Claim

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GRAVE = ("serious", "critical")
COLORS = {"runOnly": ["color-contrast", "link-in-text-block"]}  # all that a theme changes, and no width does
# A rule's faults are as grave as the rule: what can find no grave one is left out, and what axe leaves out by itself.
# Each page remembers what it showed to earlier looks. Colors, which take axe most of its time, are those of two of all
# the texts on a page that no selector of ours tells apart: same element, classes and states, in the same ancestors.
# Those `known` from another page with the same styles, seen in the same theme and width, are not looked at again.
VIOLATIONS = """async ([only, grave, anew, ofColor, known]) => {
    if (!window.axe) return null;
    document.getAnimations().filter(one => one instanceof CSSTransition).forEach(one => one.finish());
    const usual = rule => rule.enabled && !rule.tags.some(tag => ["experimental", "deprecated"].includes(tag));
    const rules = axe._audit.rules.filter(rule => usual(rule) && (!rule.impact || grave.includes(rule.impact)));
    const ids = only ?? rules.map(rule => rule.id);
    const visible = one => one.checkVisibility({visibilityProperty: true});

    const words = ["id", "for", "name", "value", "href", "src", "srcset", "action", "datetime", "title", "alt",
        "placeholder", "aria-label", "aria-labelledby", "aria-describedby", "aria-controls"];
    const digest = text => {
        let [one, other] = [0xdeadbeef, 0x41c6ce57];
        for (let place = 0; place < text.length; place++) {
            one = Math.imul(one ^ text.charCodeAt(place), 2654435761);
            other = Math.imul(other ^ text.charCodeAt(place), 1597334677);
        }
        return (one >>> 0).toString(36) + (other >>> 0).toString(36);
    };
    const sheets = [...document.styleSheets].map(one => one.href ?? one.ownerNode.textContent).join();
    const look = `${matchMedia("(prefers-color-scheme: dark)").matches} ${innerWidth} ${sheets}`;
    const chains = new Map();
    const chain = one => {
        if (!chains.has(one)) {
            const kept = [...one.attributes].filter(each => !words.includes(each.name) && !/^hx-/.test(each.name));
            const said = kept.map(each => each.name + "=" + each.value.replace(/\\d+/g, "#")).sort().join(" ");
            const state = [":checked", ":disabled", ":first-child", ":last-child"].filter(each => one.matches(each));
            const above = one.parentElement ? chain(one.parentElement) : look;
            chains.set(one, digest(`${above}>${one.localName} ${said}${state}`));
        }
        return chains.get(one);
    };
    const speaks = one => one.matches("input, select, textarea")
        || [...one.childNodes].some(each => each.nodeType === Node.TEXT_NODE && each.data.trim());
    const earlier = new Set(known.split(" ")), met = new Map();
    const sample = all => all.filter(one => speaks(one) && visible(one)).filter(one => {
        met.set(chain(one), (met.get(chain(one)) ?? 0) + 1);
        return !earlier.has(chain(one)) && met.get(chain(one)) <= 2;
    });

    const found = async (where, ids) => {
        const run = {resultTypes: ["violations"], runOnly: {type: "rule", values: ids}};
        return ids.length ? (await axe.run(where, run)).violations : [];
    };
    const colors = ids.filter(id => ofColor.includes(id)), others = ids.filter(id => !ofColor.includes(id));
    const faults = async (where, all) => {
        const some = sample(all);
        return [...await found(where, others), ...(some.length ? await found({include: some}, colors) : [])];
    };

    const all = [...document.body.querySelectorAll("*")];
    const seen = window.seenByAxe ??= new WeakSet();
    const fresh = all.filter(one => !seen.has(one) && visible(one));
    fresh.forEach(one => seen.add(one));
    const scrolls = one => (one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight)
        && /auto|scroll/.test(getComputedStyle(one).overflow);
    const roots = fresh.filter(one => !fresh.includes(one.parentElement));
    const every = !anew ? await faults(document, all) : [
        ...await found(document, all.some(scrolls) ? ["scrollable-region-focusable"] : []),
        ...(roots.length ? await faults({include: roots}, fresh) : []),
    ];
    return [every, [...met.keys()].join(" "), document.documentElement.scrollWidth];
}"""
FINE = set()  # digests of the texts whose colors were found to be good enough, over all tests that look


@pytest.fixture
def site(live_server, settings, monkeypatch, quick_sandbox):
    """The demonstration without polls, cases and news, whose pages are looked at in tests of their own apps."""
    settings.DEMO = True
    with monkeypatch.context() as seeding:
        seeding.setattr(settings, "LOCAL_APPS", ["accounts", "verification", "questions"])
        call_command("seed_demo", stdout=io.StringIO())
    return live_server.url


def addresses() -> dict[str, list[str]]:
    """What each log-in of the demonstration may open, by e-mail; "" is a visitor."""
    cardiologist = Member.objects.get(user__email="cardio@demo.sermo.test")
    busiest = (
        Question.objects.filter(status="open", solved_at__isnull=True).order_by("-answer_count", "pk").first()
    )
    solved = Question.objects.filter(solved_at__isnull=False, credits__isnull=False).order_by("pk").first()
    observation = Question.objects.filter(kind="observation").order_by("pk").first()
    own = writing.open_question(
        asker=cardiologist,
        kind="question",
        title="How do you rate control in decompensated failure?",
        source="In the 60s, ejection fraction 25.",
        specialties=[cardiologist.specialty],
    )
    answer = Post.objects.filter(question=busiest, kind="answer").first()
    writing.answer(question=own, author=answer.author, source="Amiodarone first, then decide in daylight.")
    writing.save_draft(member=cardiologist, place="ask", fields={"title": "Half a question"})
    claim = Claim.objects.exclude(queued_at=None).order_by("pk").first()
    return {
        "": [
            "/",
            "/accounts/login/",
            "/accounts/signup/",
            "/accounts/password/reset/",
            "/no/such/page/",
            *(f"/about/{topic}/" for topic in ("verification", "ranks", "rewards", "rules", "privacy")),
        ],
        "applicant@demo.sermo.test": ["/verify/", "/verify/identity/", "/settings/"],
        "second_name": ["/verify/", "/verify/proof/"],
        "observer@demo.sermo.test": ["/"],
        "cardio@demo.sermo.test": [
            "/",
            "/questions/",
            "/questions/?sort=unanswered&specialty=mine",
            "/specialties/",
            busiest.get_absolute_url(),
            solved.get_absolute_url(),
            observation.get_absolute_url(),
            own.get_absolute_url(),
            "/questions/ask/",
            f"/posts/{answer.pk}/comment/",
            f"/posts/{answer.pk}/history/",
            f"/posts/{own.posts.get(kind='opening').pk}/edit/",
            f"/questions/{own.pk}/solve/",
            "/drafts/",
            "/asked/",
            *(
                reverse("questions:follow_up", args=[question.pk])
                for question in Question.objects.solved().filter(asker=cardiologist)[:1]
            ),
            "/leaderboards/",
            "/points/",
            "/search/?q=apixaban",
            "/search/?q=cardiology+tag:nothing+solved:no",
            "/searches/",
            f"/members/{cardiologist.handle}/",
            answer.author.get_absolute_url(),
            "/notifications/",
            "/connections/",
            "/topics/",
            "/settings/",
            "/settings/notifications/",
            "/settings/blocks/",
            "/settings/data/",
            "/settings/leave/",
            "/verify/",
            "/verify/byline/",
            reverse("accounts:security"),
            reverse("accounts:pictures"),
            reverse("account_email"),
        ],
        "reviewer@demo.sermo.test": [
            "/admin/",
            "/admin/verification/claim/",
            f"/admin/verification/claim/{claim.pk}/change/",
        ],
    }


def enter(page, site, who):
    """Be logged in as somebody of the demonstration, named by e-mail or handle, who has just typed the password."""
    user = User.objects.get(email=who) if "@" in who else User.objects.get(member__handle=who)
    client = Client()
    client.force_login(user)
    confirmed = client.session
    confirmed["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "email": user.email}
    ]
    confirmed.save()
    session = client.cookies[site_settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": session, "url": site}])


def faults_of(page, rules: dict) -> list[str]:
    """Serious and critical faults that axe finds, and a page wider than the screen.

    `rules` are options of axe; none for all rules. ANEW: all rules on what no look at this page saw before, and on
    the rest those that a width alone can break.
    """
    told = [rules.get("runOnly"), GRAVE, rules is ANEW, COLORS["runOnly"], " ".join(FINE)]
    answer = page.evaluate(VIOLATIONS, told)
    if answer is None:
        page.evaluate(AXE_SCRIPT)
        answer = page.evaluate(VIOLATIONS, told)
    found, met, width = answer
    if not any(fault["id"] in COLORS["runOnly"] for fault in found):
        FINE.update(met.split())
    faults = [
        f"{fault['impact']} {fault['id']}: {fault['nodes'][0]['html'][:160]} ({len(fault['nodes'])} places)"
        for fault in found
        if fault["impact"] in GRAVE
    ]
    if width > page.viewport_size["width"]:
        faults.append(f"scrolls sideways: {width} px")
    return faults


ANEW = {"anew": True}
LOOKS = [  # theme, width, rules
    ("light", 390, {}),
    ("light", 1280, ANEW),
    ("dark", 1280, COLORS),
]


def faults_by_look(page, looks=LOOKS) -> list[str]:
    """What is wrong with an open page, as a phone and a desk show it, in both themes."""
    found = []
    for theme, width, rules in looks:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{page.url} ({theme}, {width} px): {fault}" for fault in faults_of(page, rules)]
    return found


def open_details(page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")


FAULTY = """<!doctype html><html lang="en"><title>Faulty</title><style>
    body { background: white; color: black } .faint { color: #ddd }
    @media (prefers-color-scheme: dark) { body { background: black; color: white } .dark { color: #222 } }
    @media (min-width: 600px) { .wide { color: #eee } }
    </style><main><h1>Faulty</h1><p>One</p><p>Two</p><p>Three</p><p class="faint">Four</p><p class="dark">Five</p>
    <p class="wide">Six</p><p>Seven</p><p><button></button></p><p style="width: 500px">Eight</p></main>"""


def test_faults_among_much_that_is_alike_are_found(browser_page):
    page = browser_page()
    page.set_content(FAULTY)

    found = faults_by_look(page, [("light", 390, {}), ("light", 1280, COLORS), ("dark", 1280, COLORS)])

    for look, words in (
        ("light, 390", ("faint", "button-name", "sideways")),
        ("light, 1280", ("faint", "2 places")),
        ("dark, 1280", ("dark",)),
    ):
        said = " ".join(fault for fault in found if look in fault)
        assert all(word in said for word in words), said


def test_no_page_has_a_serious_fault_at_either_width_in_either_theme(browser_page, site):
    found = []
    for who, paths in addresses().items():
        page = browser_page()
        if who:
            enter(page, site, who)
        for path in paths:
            page.emulate_media(color_scheme="light")
            page.goto(site + path)
            found += [f"{who or 'visitor'}: {fault}" for fault in faults_by_look(page)]

    assert not found, "\n".join(found)
