"""What members report and appeal, and what moderators decide, checked."""

from django import forms

from accounts.identifier_forms import IdentifierMixin
from questions.models import ABOUT_PHYSICIANS, Appeal, Byline, Flag, ModerationAction, Post, Question, Reason
from questions.services.moderation.acts import TO_THE_MEMBER, Kind
from questions.services.moderation.appeals import LONGEST_ANSWER

CHOOSE = {"required": "Choose one.", "invalid_choice": "Choose one of those shown."}
HELP = {
    Kind.DISMISS: "Nothing to it. The post stays, who reported it is not told.",
    Kind.REDACT: "Delete words in the text below, or put […] for them; earlier versions that show them are emptied.",
    Kind.FOLD: "Colleagues open it if they want to.",
    Kind.REMOVE: "Nobody but moderators sees it any more.",
    Kind.CLOSE: "The whole discussion: readable, not writable.",
    Kind.WARN: "Words to its author; the post stays.",
    Kind.HOLD: "Its author reads and does not write, 1 to 30 days.",
    Kind.SUSPEND: "Until taken back. A second moderator decides.",
    Kind.REVOKE: "For good; votes are taken back. A second moderator decides.",
}
VERBS = {
    Kind.DISMISS: "Dismiss the report",
    Kind.REDACT: "Take words out",
    Kind.FOLD: "Fold",
    Kind.REMOVE: "Remove",
    Kind.CLOSE: "Close the discussion",
    Kind.WARN: "Warn",
    Kind.HOLD: "Hold from writing",
    Kind.SUSPEND: "Suspend",
    Kind.REVOKE: "End the membership",
}
KEYS = {
    Kind.DISMISS: "d",
    Kind.REDACT: "t",
    Kind.FOLD: "f",
    Kind.REMOVE: "x",
    Kind.CLOSE: "c",
    Kind.WARN: "w",
    Kind.HOLD: "h",
    Kind.SUSPEND: "s",
    Kind.REVOKE: "e",
}


DECISIONS = [
    (Appeal.Outcome.UPHELD, "Let it stand"),
    (Appeal.Outcome.OVERTURNED, "Take it back\nThe act is undone, as far as it can be."),
]


def keyed(value, label) -> str:
    return f"{label} ({KEYS[value].upper()})\n{HELP[value]}"


def reasons_of(post: Post) -> list[tuple[str, str]]:
    return [one for one in Reason.choices if not (post.is_by_firm and one[0] in ABOUT_PHYSICIANS)]


class KeyedRadios(forms.RadioSelect):
    """Radios that a single key chooses, by script, or an access key without one."""

    def create_option(self, name, value, *args, **kwargs):
        option = super().create_option(name, value, *args, **kwargs)
        if key := KEYS.get(value):
            option["attrs"] |= {"data-key": key, "accesskey": key}
        return option


class FlagForm(IdentifierMixin, forms.Form):
    checked_fields = ("words",)

    reason = forms.ChoiceField(
        label="What is wrong with it?",
        choices=Reason.choices,
        widget=forms.RadioSelect,
        error_messages=CHOOSE,
    )
    words = forms.CharField(
        label="In a sentence",
        required=False,
        max_length=Flag._meta.get_field("words").max_length,
        help_text="Where it stands, or what you know. Moderators read it; its author never does.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args, post: Post, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = reasons_of(post)


class ActForm(IdentifierMixin, forms.Form):
    """`seen` is the newest act on the post when the page was drawn."""

    checked_fields = ("title", "text", "statement")

    kind = forms.ChoiceField(label="What to do", widget=KeyedRadios, error_messages=CHOOSE)
    reason = forms.ChoiceField(
        label="By which rule", choices=Reason.choices, widget=forms.RadioSelect, error_messages=CHOOSE
    )
    days = forms.IntegerField(
        label="Days of a hold",
        required=False,
        min_value=1,
        max_value=30,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    title = forms.CharField(
        label="Title without them", required=False, max_length=140, widget=forms.Textarea(attrs={"rows": 2})
    )
    text = forms.CharField(
        label="Text without them", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 8})
    )
    elsewhere = forms.CharField(
        label="Words that must go from its poll",
        required=False,
        max_length=2000,
        help_text="Those that stand in the text above go from its poll, too. Name others, one run of words a line.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    statement = forms.CharField(
        label="What its author is told",
        required=False,
        max_length=ModerationAction._meta.get_field("statement").max_length,
        help_text="Left empty, the standard words below are sent.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args, post: Post, has_report: bool, seen: int, reason: str = "", kind: str = "", **kwargs
    ):
        start = {"seen": seen, "text": post.source, "title": post.question.title}
        start |= {"reason": reason, "kind": kind}
        super().__init__(*args, initial=start, **kwargs)
        kinds = [one for one in Kind if has_report or one != Kind.DISMISS]
        if post.is_removed:
            kinds = [one for one in kinds if one not in (Kind.REDACT, Kind.FOLD, Kind.REMOVE)]
        if not post.question.is_open:
            kinds.remove(Kind.CLOSE)
        if post.byline.mode == Byline.Mode.HOUSE:
            kinds = [one for one in kinds if one in (Kind.DISMISS, Kind.REMOVE, Kind.CLOSE)]
        if post.is_by_firm:
            kinds = [one for one in kinds if one not in TO_THE_MEMBER]
            self.fields["statement"].label = "What is written down with it"
            self.fields[
                "statement"
            ].help_text = "A firm wrote this: nobody is told. Left empty, the words below are kept."
        if Kind.HOLD not in kinds:
            del self.fields["days"]
        self.fields["reason"].choices = reasons_of(post)
        self.fields["kind"].choices = [(one, keyed(one, VERBS[one])) for one in kinds]
        if post.question.has_poll and Kind.CLOSE in kinds:
            self.fields["kind"].choices = [
                (one, f"{words} Its poll closes for good." if one == Kind.CLOSE else words)
                for one, words in self.fields["kind"].choices
            ]
        if post.kind != Post.Kind.OPENING:
            del self.fields["title"]
        has_more = post.question.has_poll or post.question.kind == Question.Kind.CASE
        if post.kind != Post.Kind.OPENING or not has_more:
            del self.fields["elsewhere"]
        elif post.question.kind == Question.Kind.CASE:
            field = self.fields["elsewhere"]
            field.label = "Words that must go from its solution, pictures, marks or poll"
            field.help_text = field.help_text.replace("from its poll", "from there")

    def _checked_names(self):
        """A post's text matters only where it is put in place of the old; it comes along with every act."""
        redacts = self.is_bound and self.data.get("kind") == Kind.REDACT
        return [name for name in super()._checked_names() if redacts or name == "statement"]


class AppealForm(IdentifierMixin, forms.Form):
    checked_fields = ("text",)

    text = forms.CharField(
        label="Why should this be decided otherwise?",
        max_length=Appeal._meta.get_field("text").max_length,
        help_text="A moderator who had no part in it reads this once and answers within 7 days.",
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": "Say why, in a sentence."},
    )


class DecisionForm(IdentifierMixin, forms.Form):
    checked_fields = ("answer",)

    outcome = forms.ChoiceField(
        label="Decision", choices=DECISIONS, widget=forms.RadioSelect, error_messages=CHOOSE
    )
    answer = forms.CharField(
        label="Your answer to the member",
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say why, in a sentence."},
    )
