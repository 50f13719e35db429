from django.urls import path

from rewards.views import connect, draws, hooks, left, open_payments, settings, wallet

app_name = "rewards"

urlpatterns = [
    path("", wallet.wallet, name="wallet"),
    path("lines/", wallet.lines, name="lines"),
    path("payouts/ask/", wallet.ask, name="ask"),
    path("payouts/<uuid:key>/cancel/", wallet.cancel, name="cancel"),
    path("donate/", wallet.donate, name="donate"),
    path("statement/<int:year>/", wallet.statement, name="statement"),
    path("clock/", wallet.clock, name="clock"),
    path("draws/", draws.days, name="draws"),
    path("draws/<int:question_id>/", draws.draw, name="draw"),
    path("draws/<int:question_id>/<int:number>.txt", draws.tickets, name="tickets"),
    path("settings/", settings.money, name="settings"),
    path("settings/method/", settings.method, name="method"),
    path("settings/w9/", settings.w9, name="w9"),
    path("settings/affiliations/", settings.affiliations, name="affiliations"),
    path("settings/connect/", connect.connect, name="connect"),
    path("settings/connect/back/", connect.back, name="connect_back"),
    path("open-payments/", open_payments.rows, name="open_payments"),
    path("open-payments/<int:pk>/dispute/", open_payments.dispute, name="dispute"),
    path("left/<str:key>/", left.left, name="left"),
    path("hooks/stripe/", hooks.stripe, name="stripe_hook"),
    path("hooks/paypal/", hooks.paypal, name="paypal_hook"),
]
