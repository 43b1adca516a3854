from django.urls import path

from marketing import views

app_name = "marketing"
urlpatterns = [
    path("w/<slug:slug>/demo/load/", views.load_demo, name="load_demo"),
    path("w/<slug:slug>/demo/remove/", views.remove_demo, name="remove_demo"),
    path("w/<slug:slug>/demo/status/", views.demo_status, name="demo_status"),
]
