"""What a member concerned is told, unless the moderator writes other words: what was done, by which rule."""

from questions.models import ModerationAction, Reason

Kind = ModerationAction.Kind

DONE = {
    Kind.DISMISS: "The report was looked at; the post stays as it is.",
    Kind.REDACT: "Some words of your post were taken out.",
    Kind.FOLD: "Your post is folded: colleagues open it if they want to read it.",
    Kind.REMOVE: "Your post was removed.",
    Kind.CLOSE: "The discussion was closed. It stays readable.",
    Kind.WARN: "This is a warning; your post stays.",
    Kind.HOLD: "You cannot write for a time. Reading stays open.",
    Kind.SUSPEND: "Your membership is suspended.",
    Kind.REVOKE: "Your membership was ended.",
}

OF_FIRM = {  # where the author is none whom one tells
    Kind.REDACT: "Some words of the post were taken out.",
    Kind.FOLD: "The post is folded: colleagues open it if they want to read it.",
    Kind.REMOVE: "The post was removed.",
}

RULES = {
    Reason.IDENTITY: (
        "A patient can be recognized by what it says. Give ages by decade, times by season, and no place, name, "
        "number or rare combination."
    ),
    Reason.HARASSMENT: "It attacks a person. Dispute what colleagues say, never who they are.",
    Reason.MISINFORMATION: "It may harm patients and nothing supports it. Name a source, or say that it is opinion.",
    Reason.SPAM: "It promotes something. Sermo is no place for advertising.",
    Reason.CONFLICT: "It speaks of a product or firm without saying what ties you to it. Say so and it may stand.",
    Reason.NOT_PHYSICIAN: "There is doubt that it was written by the physician whose license was verified.",
    Reason.OTHER: "It breaks the rules of Sermo.",
}


def standard(kind: str, reason: str, *, by_firm: bool = False) -> str:
    done = DONE | OF_FIRM if by_firm else DONE
    return f"{done[Kind(kind)]} {RULES[Reason(reason)]}"
