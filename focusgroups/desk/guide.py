"""The discussion guide of a room: sections and prompts in their order, stimuli, and live hours."""

from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone

from focusgroups.desk import base
from focusgroups.desk.forms import dollars
from focusgroups.desk.forms_guide import Kind, LiveHourForm, PromptForm, SectionForm, StimulusForm
from focusgroups.models import Prompt, Stimulus
from focusgroups.services import guiding, live_hours, stimuli
from focusgroups.views.stimuli import desk_stimulus

ICONS = {
    Kind.OPEN: "message-square-text",
    Kind.SINGLE: "circle-dot",
    Kind.MULTIPLE: "list-checks",
    Kind.RANKED: "list-ordered",
    Kind.SCALE: "sliders-horizontal",
}


def guide(request, room):
    sections = list(room.sections.prefetch_related("prompts__options", "prompts__stimuli"))
    hours = list(room.live_hours.all())
    for section in sections:
        section.may_change = may_change(room, section)
        section.opens_words = base.in_zone(room, section.opens_at)
        section.due_words = base.in_zone(room, section.due_at)
        section.pays = dollars(section.honorarium) if section.honorarium else ""
        section.address = base.address(room, "section", section.pk)
        section.move_address = base.address(room, "section_move", section.pk)
        section.add_address = base.address(room, "prompt_add", section.pk)
        section.shown = sorted(section.prompts.all(), key=lambda prompt: prompt.place)
        for prompt in section.shown:
            prompt.icon = ICONS[prompt.kind]
            prompt.address = base.address(room, "prompt", prompt.pk)
            prompt.move_address = base.address(room, "prompt_move", prompt.pk)
    for hour in hours:
        hour.may_change = not room.is_over and not (
            base.is_published(room) and hour.starts_at <= timezone.now()
        )
        hour.words = f"{base.in_zone(room, hour.starts_at)} to {base.in_zone(room, hour.ends_at)}"
        hour.address = base.address(room, "hour", hour.pk)
    return base.show(
        request,
        room,
        "guide",
        "guide.html",
        title="Guide",
        sections=sections,
        hours=hours,
        may_add=not room.is_over,
    )


def may_change(room, section) -> bool:
    """Whether its words may still change: what participants read already stays."""
    return not room.is_over and not (base.is_published(room) and section.is_released)


def guide_said(room):
    sections = room.sections.count()
    prompts = Prompt.objects.filter(section__room=room).count()
    if not sections:
        return ""
    return f"{sections} section{'s' if sections > 1 else ''}, {prompts} prompt{'s' if prompts != 1 else ''}"


# Sections


def add_section(request, room):
    return _section(request, room, None)


def section(request, room, section):
    return _section(request, room, get_object_or_404(room.sections, pk=section))


def _section(request, room, section):
    if base.is_late(request, may_change(room, section) if section else not room.is_over):
        return HttpResponseRedirect(base.address(room, "guide"))
    form = SectionForm(request.POST if request.method == "POST" else None, room=room, section=section)
    if form.is_bound and form.is_valid():
        is_done, saved = base.tried(
            form,
            lambda: guiding.save_section(room=room, by=request.user, section=section, **form.cleaned_data),
            {guiding.planning.BeyondBudget: "honorarium"},
        )
        if is_done:
            return base.done(request, "Saved.", _at(room, f"section-{saved.pk}"))
    return base.show(
        request,
        room,
        "guide",
        "form.html",
        title=section.title if section else "New section",
        form=form,
        rows=_rows(form, ["title"], ["intro"], ["opens_at", "due_at"], ["honorarium"]),
        back=_at(room, f"section-{section.pk}") if section else base.address(room, "guide"),
        delete={
            "address": base.address(room, "section_delete", section.pk),
            "label": "Delete the section",
            "words": "Its prompts and what they show go with it.",
        }
        if section
        else None,
        status=base.status_of(form),
    )


def delete_section(request, room, section):
    return base.deleted(
        request,
        room.sections.filter(pk=section).first(),
        lambda row: guiding.delete_section(section=row, by=request.user),
        to=base.address(room, "guide"),
    )


def move_section(request, room, section):
    row = get_object_or_404(room.sections, pk=section)
    is_up = request.POST.get("to") == "up"
    return base.pressed(
        request,
        lambda: guiding.move_section(section=row, by=request.user, up=is_up),
        to=_at(room, f"section-{row.pk}"),
    )


# Prompts


def add_prompt(request, room, section):
    return _prompt(request, room, get_object_or_404(room.sections, pk=section), None)


def prompt(request, room, prompt):
    row = get_object_or_404(Prompt.objects.select_related("section"), section__room=room, pk=prompt)
    row.section.room = room
    return _prompt(request, room, row.section, row)


def _prompt(request, room, section, prompt):
    """A prompt of the kind in the address. Choosing another kind keeps what was typed."""
    if base.is_late(request, may_change(room, section)):
        return HttpResponseRedirect(base.address(room, "guide"))
    stored = prompt.kind if prompt else Kind.OPEN
    is_post = request.method == "POST"
    switched = request.POST.get("switch") if is_post else None
    kind = switched or (request.POST.get("kind") if is_post else request.GET.get("kind"))
    kind = kind if kind in Kind.values else stored
    if switched:
        form = PromptForm(kind=kind, prompt=prompt, initial=_as_typed(request.POST))
    else:
        form = PromptForm(request.POST if is_post else None, kind=kind, prompt=prompt)
    if form.is_bound and form.is_valid():
        is_done, saved = base.tried(
            form,
            lambda: guiding.save_prompt(section=section, by=request.user, prompt=prompt, **form.typed()),
        )
        if is_done:
            if "then" in request.POST:
                return base.done(request, "Saved.", base.address(room, "prompt", saved.pk) + "#stimuli")
            return base.done(request, "Saved.", _at(room, f"prompt-{saved.pk}"))
    return _prompt_page(request, room, section, prompt, form, StimulusForm())


def _prompt_page(request, room, section, prompt, form, stimulus_form):
    shown = list(prompt.stimuli.all()) if prompt else []
    for stimulus in shown:
        stimulus.address = base.address(room, "stimulus", stimulus.key)
        stimulus.move_address = base.address(room, "stimulus_move", stimulus.key)
        stimulus.delete_address = base.address(room, "stimulus_delete", stimulus.key)
    return base.show(
        request,
        room,
        "guide",
        "prompt.html",
        title="Prompt" if prompt else "New prompt",
        section=section,
        prompt=prompt,
        form=form,
        kinds=[
            {"value": value, "label": label, "icon": ICONS[value], "is_current": value == form.kind}
            for value, label in Kind.choices
        ],
        stimuli=shown,
        stimulus_form=stimulus_form,
        stimulus_address=base.address(room, "stimulus_add", prompt.pk) if prompt else "",
        back=_at(room, f"prompt-{prompt.pk}" if prompt else f"section-{section.pk}"),
        delete={
            "address": base.address(room, "prompt_delete", prompt.pk),
            "label": "Delete the prompt",
            "words": "Its options and what it shows go with it.",
        }
        if prompt
        else None,
        status=422 if form.errors or stimulus_form.errors else 200,
    )


def _as_typed(data) -> dict:
    """What stood in the fields when another kind was chosen; boxes that were not sent were not ticked."""
    names = PromptForm.base_fields
    boxes = ("asks_why", "is_private", "is_required")
    return {
        **{name: data[name] for name in names if name in data and name not in boxes},
        **{name: name in data for name in boxes if name != "asks_why" or name in data},
    }


def delete_prompt(request, room, prompt):
    row = Prompt.objects.filter(section__room=room, pk=prompt).first()
    return base.deleted(
        request,
        row,
        lambda row: guiding.delete_prompt(prompt=row, by=request.user),
        to=_at(room, f"section-{row.section_id}") if row else base.address(room, "guide"),
    )


def move_prompt(request, room, prompt):
    row = get_object_or_404(Prompt, section__room=room, pk=prompt)
    is_up = request.POST.get("to") == "up"
    return base.pressed(
        request,
        lambda: guiding.move_prompt(prompt=row, by=request.user, up=is_up),
        to=_at(room, f"prompt-{row.pk}"),
    )


# Stimuli


def add_stimulus(request, room, prompt):
    row = get_object_or_404(Prompt.objects.select_related("section"), section__room=room, pk=prompt)
    row.section.room = room
    to = base.address(room, "prompt", row.pk) + "#stimuli"
    if request.method != "POST":
        return HttpResponseRedirect(to)
    form = StimulusForm(request.POST, request.FILES)
    if getattr(request, "upload_too_large", False):
        form.errors.pop("file", None)
        form.add_error("file", stimuli.TooLarge.message)
    if form.is_valid():
        file = form.cleaned_data["file"]
        is_done, _ = base.tried(
            form,
            lambda: stimuli.add(
                prompt=row,
                by=request.user,
                data=file.read(),
                description=form.cleaned_data["description"],
                submission=form.cleaned_data["submission"],
            ),
            {base.RuleBroken: "file"},
        )
        if is_done:
            return base.done(request, "Added.", to)
    return _prompt_page(request, room, row.section, row, PromptForm(kind=row.kind, prompt=row), form)


def stimulus(request, room, key):
    """A stimulus as a moderator sees it: with a watermark of theirs."""
    return desk_stimulus(request, room.pk, key)


def delete_stimulus(request, room, key):
    row = Stimulus.objects.select_related("prompt").filter(prompt__section__room=room, key=key).first()
    return base.deleted(
        request,
        row,
        lambda row: stimuli.remove(stimulus=row, by=request.user),
        to=base.address(room, "prompt", row.prompt_id) + "#stimuli" if row else base.address(room, "guide"),
        words="Taken out.",
    )


def move_stimulus(request, room, key):
    row = _stimulus(room, key)
    is_up = request.POST.get("to") == "up"
    return base.pressed(
        request,
        lambda: stimuli.move(stimulus=row, by=request.user, up=is_up),
        to=base.address(room, "prompt", row.prompt_id) + "#stimuli",
    )


def _stimulus(room, key) -> Stimulus:
    return get_object_or_404(Stimulus.objects.select_related("prompt"), prompt__section__room=room, key=key)


# Live hours


def add_hour(request, room):
    return _hour(request, room, None)


def hour(request, room, hour):
    return _hour(request, room, get_object_or_404(room.live_hours, pk=hour))


def _hour(request, room, hour):
    has_begun = bool(hour) and base.is_published(room) and hour.starts_at <= timezone.now()
    if base.is_late(request, not (room.is_over or has_begun)):
        return HttpResponseRedirect(_at(room, "hours"))
    form = LiveHourForm(request.POST if request.method == "POST" else None, room=room, hour=hour)
    if form.is_bound and form.is_valid():
        is_done, _ = base.tried(
            form, lambda: live_hours.save(room=room, by=request.user, hour=hour, **form.cleaned_data)
        )
        if is_done:
            return base.done(request, "Saved.", _at(room, "hours"))
    return base.show(
        request,
        room,
        "guide",
        "form.html",
        title=hour.title if hour else "New live hour",
        form=form,
        rows=_rows(form, ["title"], ["starts_at", "ends_at"]),
        back=_at(room, "hours"),
        delete={"address": base.address(room, "hour_delete", hour.pk), "label": "Delete the live hour"}
        if hour
        else None,
        status=base.status_of(form),
    )


def delete_hour(request, room, hour):
    return base.deleted(
        request,
        room.live_hours.filter(pk=hour).first(),
        lambda row: live_hours.delete(hour=row, by=request.user),
        to=_at(room, "hours"),
    )


def _rows(form, *rows):
    """Fields that stand side by side, row by row."""
    return [[form[name] for name in row] for row in rows]


def _at(room, place: str) -> str:
    return f"{base.address(room, 'guide')}#{place}"


base.add_page(
    base.Page(
        "guide",
        "Guide",
        300,
        guide,
        routes=(
            base.Route("sections/add/", "section_add", add_section),
            base.Route("sections/<int:section>/", "section", section),
            base.Route("sections/<int:section>/delete/", "section_delete", delete_section),
            base.Route("sections/<int:section>/move/", "section_move", move_section),
            base.Route("sections/<int:section>/add/", "prompt_add", add_prompt),
            base.Route("prompts/<int:prompt>/", "prompt", prompt),
            base.Route("prompts/<int:prompt>/delete/", "prompt_delete", delete_prompt),
            base.Route("prompts/<int:prompt>/move/", "prompt_move", move_prompt),
            base.Route(
                "prompts/<int:prompt>/stimuli/", "stimulus_add", add_stimulus, largest=stimuli.LARGEST
            ),
            base.Route("stimuli/<uuid:key>/", "stimulus", stimulus),
            base.Route("stimuli/<uuid:key>/delete/", "stimulus_delete", delete_stimulus),
            base.Route("stimuli/<uuid:key>/move/", "stimulus_move", move_stimulus),
            base.Route("hours/add/", "hour_add", add_hour),
            base.Route("hours/<int:hour>/", "hour", hour),
            base.Route("hours/<int:hour>/delete/", "hour_delete", delete_hour),
        ),
        step="guide",
        said=guide_said,
    )
)
