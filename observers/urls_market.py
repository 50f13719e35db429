"""Addresses of the console, see `observers.urls`."""

from django.urls import path

from observers.views import market

urlpatterns = [
    path("earmarks/", market.earmarks, name="earmarks"),
    path("earmarks/<uuid:key>/cancel/", market.cancel, name="cancel_earmark"),
    path("posts/<str:key>/earmark/", market.earmark, name="earmark"),
    path("balance/", market.balance, name="balance"),
]
