"""Addresses below /on-call/."""

from django.urls import path

from consults.views import on_call, on_call_shifts, paging

app_name = "on_call"

urlpatterns = [
    path("", on_call.board, name="board"),
    path("inbox/", on_call.inbox, name="inbox"),  # ?known=, what the page has already
    path("available/", on_call.available, name="available"),
    path("end/", on_call.end, name="end"),
    path("calls/<int:call_id>/accept/", on_call.accept, name="accept"),
    path("calls/<int:call_id>/pass/", on_call.decline, name="decline"),
    path("calls/<int:call_id>/hand-over/", on_call.hand_over, name="hand_over"),
    path("pagings/<int:paging_id>/stop/", paging.stop, name="stop"),
    path("shifts/", on_call_shifts.shifts, name="shifts"),
    path("shifts/once/", on_call_shifts.add_once, name="add_once"),
    path("shifts/weekly/", on_call_shifts.add_weekly, name="add_weekly"),
    path("shifts/wishes/", on_call_shifts.wishes, name="wishes"),
    path("shifts/<int:shift_id>/end/", on_call_shifts.end, name="end_shift"),
]
