"""How a workspace's documents look."""

from django.core.validators import RegexValidator
from django.db import models

from accounts.models import Workspace


class Branding(models.Model):
    """The logo and colour on covers and slides, and the paper. `logo`: a PNG that the product itself has written."""

    class Paper(models.TextChoices):
        A4 = "a4", "A4"
        LETTER = "letter", "US Letter"

    workspace = models.OneToOneField(Workspace, models.CASCADE, related_name="branding")
    logo = models.BinaryField(null=True)
    colour = models.CharField(max_length=7, blank=True, validators=[RegexValidator(r"\A#[0-9a-f]{6}\Z")])
    paper = models.CharField(max_length=6, choices=Paper.choices, default=Paper.A4)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"look of {self.workspace_id}"
