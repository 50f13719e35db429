from allauth.account.decorators import secure_admin_login
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from questions.views import search
from sermo import views

admin.site.unregister(UserSession)  # its search names a field that log-ins by address lack
admin.site.login = secure_admin_login(admin.site.login)
admin.site.site_header = admin.site.site_title = "Sermo administration"
admin.site.index_title = "Desk"

# What allauth has on pages of its own stands together on ours; the names of its addresses still lead there.
security_page = RedirectView.as_view(pattern_name="accounts:security")

urlpatterns = [
    path("", views.home, name="home"),
    path("about/<slug:topic>/", views.about, name="about"),
    path("search/", search.search, name="search"),
    path("demo/log-in/", views.demo_log_in, name="demo_log_in"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("accounts/2fa/", security_page),
    path("accounts/2fa/webauthn/", security_page),
    path("accounts/sessions/", security_page),
    path("accounts/", include("allauth.urls")),
    path("verify/", include("verification.urls")),
    path("", include("accounts.urls")),
    path("", include("questions.urls")),
    path("polls/", include("polls.urls")),
    path("consults/", include("consults.urls")),
    path("on-call/", include("consults.urls_on_call")),
    path("news/", include("newsfeed.urls")),
    path("groups/", include("focusgroups.urls")),
    path("rewards/", include("rewards.urls")),
    path("observe/", include("observers.urls")),
    path("watchers/", include("observers.urls_watchers")),
    path("products/", include("observers.urls_pages")),
    path("admin/", admin.site.urls),
]

handler400 = "sermo.views.bad_request"
handler403 = "sermo.views.forbidden"
handler404 = "sermo.views.not_found"
handler500 = "sermo.views.server_error"
