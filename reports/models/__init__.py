"""What people receive: reports, what was made of them, when they go out, to whom, and how they look."""

from reports.models.alerts import Alert, AlertEvent
from reports.models.branding import Branding
from reports.models.deliveries import Delivery
from reports.models.editions import Edition, ExportFile
from reports.models.reports import Report
from reports.models.schedules import Occurrence, Recipient, Schedule

__all__ = [
    "Alert",
    "AlertEvent",
    "Branding",
    "Delivery",
    "Edition",
    "ExportFile",
    "Occurrence",
    "Recipient",
    "Report",
    "Schedule",
]
