"""Exports of advertising accounts as they are downloaded, and what their imports bring."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from marketing.models import ChannelSpend, Import

BringIn = Callable[..., Import]
GOOGLE_ADS = """Campaign report
"1 March 2026 - 2 March 2026"
Campaign status,Campaign,Campaign type,Day,Currency code,Cost,Impr.,Clicks,CTR
Enabled,Brand,Search,2026-03-01,EUR,"1,234.56","12,500",640,5.12%
Enabled,Brand,Search,2026-03-02,EUR,80.50,900,31,3.44%
Paused,Spring,Performance Max,2026-03-01,EUR,20.25, --, --, --
Enabled,Films,Video,2026-03-01,EUR,9.75,4000,12,0.30%
Total: Campaigns, --, --, --,EUR,"1,345.06","17,400",683,3.93%
Total: Account, --, --, --,EUR,"1,345.06","17,400",683,3.93%
"""
META = """Campaign name,Day,Amount spent (EUR),Impressions,Reach,Link clicks,Results,Reporting starts,Reporting ends
,,43.25,3100,2000,25,,2026-03-01,2026-03-02
Prospecting,2026-03-01,30.00,2000,1500,20,3,2026-03-01,2026-03-02
Retargeting,2026-03-01,10.25,900,400,4,,2026-03-01,2026-03-02
Prospecting,2026-03-02,3.00,200,180,1,,2026-03-01,2026-03-02
"""


def counts(batch: Import) -> tuple[int, int, int]:
    """Accepted, rejected, duplicates of an import that came to its end."""
    assert batch.status == Import.Status.ACTIVE, batch.job.error
    assert batch.errors == []
    return batch.accepted, batch.rejected, batch.duplicates


def spend_rows() -> list[tuple[str, str | None, dt.date, Decimal | None, float | None, float | None]]:
    """What was spent: channel, campaign, day, spend, impressions, clicks."""
    rows = ChannelSpend.objects.order_by("pk").values_list(
        "channel__name", "campaign__name", "date", "spend", "impressions", "clicks"
    )
    return list(rows)
