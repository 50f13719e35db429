from django.urls import path

from rewards.views import left

app_name = "rewards"

urlpatterns = [path("left/<str:key>/", left.left, name="left")]
