from django.urls import path

from accounts.views import data, identifiers, notices, people, pictures, security, ties

app_name = "accounts"

urlpatterns = [
    path("identifiers/check/", identifiers.check_identifiers, name="check_identifiers"),
    path("members/<str:handle>/", people.member, name="member"),
    path("physicians/<str:key>/", people.physician, name="physician"),
    path("members/<str:handle>/connect/", ties.connect, name="connect"),
    path("members/<str:handle>/follow/", ties.follow, name="follow"),
    path("members/<str:handle>/block/", ties.block, name="block"),
    path("physicians/<str:key>/block/", ties.block_physician, name="block_physician"),
    path("connections/", ties.connections, name="connections"),
    path("connections/<int:connection_id>/", ties.answer_connection, name="answer_connection"),
    path("settings/blocks/", ties.blocks, name="blocks"),
    path("settings/blocks/<int:block_id>/", ties.unblock, name="unblock"),
    path("settings/", people.settings, name="settings"),
    path("settings/preview/", people.preview, name="preview"),
    path("settings/pictures/", pictures.pictures, name="pictures"),
    path("pictures/<str:key>/", pictures.picture, name="picture"),
    path("settings/data/", data.data, name="data"),
    path("settings/data/export/", data.export_state, name="export_state"),
    path("settings/data/export/ask/", data.ask_export, name="ask_export"),
    path("settings/data/export/stop/", data.stop_export, name="stop_export"),
    path("settings/data/exports/<str:key>/", data.download, name="download"),
    path("settings/leave/", data.leave, name="leave"),
    path("settings/left/", data.left, name="left"),
    path("settings/security/", security.security, name="security"),
    path("settings/security/end-session/", security.end_session, name="end_session"),
    path("session/left/", security.shared_left, name="shared_left"),
    path("session/stay/", security.shared_stay, name="shared_stay"),
    path("notifications/", notices.notices, name="notices"),
    path("notifications/read/", notices.notices_read, name="notices_read"),
    path("notifications/count/", notices.notice_count, name="notice_count"),
    path("notifications/<int:notice_id>/", notices.notice, name="notice"),
    path("settings/notifications/", notices.notice_settings, name="notice_settings"),
    path("unsubscribe/<str:token>/", notices.unsubscribe, name="unsubscribe"),
]
