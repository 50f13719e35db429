"""Pages of products, for members."""

app_name = "products"

urlpatterns = []
