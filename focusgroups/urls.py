from django.urls import path

from focusgroups.views import joining, quotes, room, stimuli

app_name = "focusgroups"

urlpatterns = [
    path("", joining.group_list, name="list"),
    path("<int:room_id>/", room.room, name="room"),
    path("<int:room_id>/screener/", joining.screener, name="screener"),
    path("<int:room_id>/agreement/", joining.agreement, name="agreement"),
    path("<int:room_id>/decline/", joining.decline, name="decline"),
    path("<int:room_id>/leave/", joining.leave, name="leave"),
    path("<int:room_id>/withdraw/", joining.withdraw, name="withdraw"),
    path("<int:room_id>/sections/<int:place>/", room.section, name="section"),
    path("<int:room_id>/prompts/<int:prompt_id>/", room.prompt, name="prompt"),
    path("<int:room_id>/prompts/<int:prompt_id>/answer/", room.answer, name="answer"),
    path("<int:room_id>/answers/<int:answer_id>/edit/", room.edit_answer, name="edit_answer"),
    path("<int:room_id>/answers/<int:answer_id>/withdraw/", room.withdraw_answer, name="withdraw_answer"),
    path("<int:room_id>/answers/<int:answer_id>/reply/", room.reply_to_answer, name="reply_to_answer"),
    path("<int:room_id>/messages/<int:message_id>/reply/", room.reply_to_message, name="reply_to_message"),
    path("<int:room_id>/messages/<int:message_id>/withdraw/", room.withdraw_message, name="withdraw_message"),
    path("<int:room_id>/note/", room.note, name="note"),
    path("<int:room_id>/live/<int:live_hour_id>/", room.live, name="live"),
    path("<int:room_id>/live/<int:live_hour_id>/lines/", room.live_lines, name="live_lines"),
    path("<int:room_id>/quotes/", quotes.quotes, name="quotes"),
    path("<int:room_id>/stimuli/<uuid:key>/", stimuli.stimulus, name="stimulus"),
]
