"""The colours of channels: their own, and, of those that another grouping makes, the ones that are left."""

import pytest

from accounts.models import Workspace
from charts import Colour, SankeySpec, channel_colour
from charts.colours import CHANNEL_COLOURS
from crosschannel.presentation.document import document
from crosschannel.presentation.sources import Sources
from marketing.models import Channel
from tests.conftest import ImportRows
from tests.crosschannel.conftest import Follow
from tests.crosschannel.shop import conversion_rows, touch_rows

pytestmark = pytest.mark.django_db
CAMPAIGNS = 3  # of each channel


@pytest.fixture
def shop_with_campaigns(shop: Workspace, import_rows: ImportRows) -> Workspace:
    lines = ["customer,occurred_at,source,medium,campaign"]
    for number, row in enumerate(list(touch_rows())[1:]):
        customer_and_time, _, channel = row.rpartition(",")
        lines.append(f"{customer_and_time},{channel.lower()}.example,web,number {number % CAMPAIGNS}")
    import_rows("touchpoints", *lines)
    import_rows("conversions", *conversion_rows())
    return shop


@pytest.mark.usefixtures("shop_with_campaigns")
def test_channels_of_another_grouping_have_colours_while_there_are_any(follow: Follow) -> None:
    run = follow(grouping="granular", top=12)
    assert run.result
    met = run.result["interactions"]["channels"]
    assert len(met) > len(CHANNEL_COLOURS)
    sources = Sources.of(run)
    assert [sources.colour(name) for name in met[:8]] == list(CHANNEL_COLOURS)
    assert {sources.colour(name) for name in met[8:]} == {Colour.OTHER}
    assert {sources.href(name) for name in met} == {""}
    charts = [chart for section in document(run).sections for chart in section.charts]
    (diagram, *_further) = (chart for chart in charts if isinstance(chart, SankeySpec))
    drawn = {node.name: node.colour for node in diagram.nodes if not node.is_end and node.name in met}
    assert drawn == {name: sources.colour(name) for name in drawn}
    assert set(CHANNEL_COLOURS) <= set(drawn.values())


@pytest.mark.usefixtures("busy_shop")
def test_channels_of_the_workspace_keep_their_own(follow: Follow) -> None:
    sources = Sources.of(follow())
    own = {channel.name: channel_colour(channel.colour_slot) for channel in Channel.objects.all()}
    assert {name: sources.colour(name) for name in own} == own
    assert sources.colours == own
    assert sources.colour("Nobody") == Colour.OTHER
