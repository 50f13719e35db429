"""How notices about stories read: what a moderator decided about one's own."""

from django.urls import reverse

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from consults.models import Story
from consults.services import stories

WORDS = {
    stories.PUBLISHED: "A moderator looked at your story; everybody can read it",
    stories.RETURNED: "A moderator sent your story back",
}


def read_stories(notices: list[Notice], user: User) -> dict[int, Line]:
    """Of one's own stories that still say something. One query. Keys are "story:<deed>:<story>:<moment>"."""
    own = Story.objects.filter(case__question__asker=user.as_member).exclude(source="")
    known = {row.case_id: row for row in own.filter(case__in={notice.target for notice in notices})}
    found = {}
    for notice in notices:
        deed = notice.key.split(":")[1]
        if (story := known.get(notice.target)) and deed in WORDS:
            url = reverse("consults:write_story", args=[story.case_id])
            found[notice.pk] = Line(WORDS[deed], url, story.title)
    return found


register(Kind.MODERATION, read=read_stories, prefix="story")
