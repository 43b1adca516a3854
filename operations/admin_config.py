"""Puts the product's own site in the place of Django's, where `django.contrib.admin.site` is asked for."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "operations.site.AdministrationSite"
