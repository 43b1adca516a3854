"""Every address of the product."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

# The admin has no way in of its own, which would pass by the second factor and the limits on guessing passwords.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("accounts.urls")),
    path("", include("guide.urls")),
    path("", include("api.urls")),
    path("", include("webhooks.urls")),
    path("", include("reports.urls")),
    path("", include("reports.workspace_urls")),
    path("", include("marketing.urls")),
    path("", include("analyses.urls")),
    path("", include("attribution.urls")),
    path("", include("weightings.urls")),
    path("", include("crosschannel.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("operations.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "mmm_project.errors.bad_request"
handler403 = "mmm_project.errors.permission_denied"
handler404 = "mmm_project.errors.not_found"
handler500 = "mmm_project.errors.server_error"
