from django.apps import AppConfig


class WeightingsConfig(AppConfig):
    name = "weightings"
