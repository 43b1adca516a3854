from django.urls import path

from guide import views

app_name = "guide"
urlpatterns = [
    path("help/", views.index, name="index"),
    path("help/search/", views.search, name="search"),
    path("help/<slug:page>/", views.page, name="page"),
]
