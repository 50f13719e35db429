"""The console of firms, each part with its own addresses."""

from observers import (
    urls_groups,
    urls_industry,
    urls_market,
    urls_products,
    urls_reading,
    urls_searches,
    urls_seats,
)

app_name = "observers"

parts = (urls_groups, urls_reading, urls_searches, urls_market, urls_industry, urls_products, urls_seats)
urlpatterns = [pattern for part in parts for pattern in part.urlpatterns]
