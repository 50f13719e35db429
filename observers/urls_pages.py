"""Pages of products, for members."""

from django.urls import path

from observers.views import company_answers, products

app_name = "products"

urlpatterns = [
    path("", products.all_products, name="list"),
    path("posts/<int:post_id>/sheet/", products.sheet, name="sheet"),
    path("questions/<uuid:key>/take-back/", products.take_back, name="take_back"),
    path("questions/<uuid:key>/history/", company_answers.history, name="history"),
    path("<slug:slug>/", products.product, name="product"),
    path("<slug:slug>/questions/", products.questions, name="questions"),
    path("<slug:slug>/declare/", products.declare, name="declare"),
]
