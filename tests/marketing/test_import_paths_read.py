"""How paths are written, how files of them are known, and how they are read back while channels change their names."""

import datetime as dt
import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from accounts.models import Workspace
from marketing.channel_figures import channel_figures
from marketing.channel_index import channel_index
from marketing.channels import merge_channels, rename_channel, unmerge_channel
from marketing.data_versions import data_version
from marketing.importing.guessing import guess_dataset, guess_mapping
from marketing.importing.uploads import set_reading
from marketing.models import Channel, Dataset, Import, PathCount
from marketing.pages.upload_presenters import present_check
from marketing.selectors import load_paths
from tests.factories import WorkspaceFactory
from tests.marketing.settled import Importer, counts
from tests.marketing.test_import_paths import DATED, HEADER, held
from tests.marketing.uploading import bring_in, check, reloaded, start

# As the package ChannelAttribution writes its sample.
SAMPLE = (
    "path;total_conversions;total_conversion_value;total_null\n"
    "eta > iota > alpha > eta;1;0.244;3\n"
    "iota > iota > iota > iota;2;3.195;6\n"
    "beta > eta;1;2.402;3\n"
    "beta > eta;0;0.000;2\n"
)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["A > B", "C"], ""),
        (["A>B", "C"], ""),
        (["A -> B", "C"], ""),
        (["A => B", "C"], ""),
        (["A → B", "C"], ""),
        (["A | B", "C"], "The steps in “path” are parted by “|”."),
        (["A|B", "C"], "The steps in “path” are parted by “|”."),
        (["A; B", "C"], "The steps in “path” are parted by “;”."),
        (["A / B", "C"], "The steps in “path” are parted by “/”."),
    ],
)
def test_what_parts_the_steps_is_told_by_the_paths(
    import_rows: Importer, shop: Workspace, cells: list[str], said: str
) -> None:
    batch = import_rows("paths", "path,conversions\n" + "".join(f'"{cell}",1\n' for cell in cells))

    assert held(shop) == {"A > B": (1, 0, 0), "C": (1, 0, 0)}
    assert batch.warnings == ([said] if said else [])


def test_other_signs_are_parts_of_names_where_arrows_stand_between_them(import_rows: Importer, shop: Workspace) -> None:
    import_rows("paths", "path,conversions\ngoogle / cpc > Search | Brand,1\nSEO/SEA;x,1\n")

    assert held(shop).keys() == {"google / cpc > Search | Brand", "SEO/SEA;x"}


def test_a_slash_within_a_name_parts_nothing(import_rows: Importer, shop: Workspace) -> None:
    import_rows("paths", "path,conversions\nSEO/SEA,1\nDirect,1\n")

    assert held(shop).keys() == {"SEO/SEA", "Direct"}


@pytest.mark.parametrize("block_bytes", [64, 2**20], ids=["in different chunks", "in one chunk"])
def test_a_file_in_which_several_signs_could_part_the_steps_is_refused(
    import_rows: Importer, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr("marketing.importing.files.BLOCK_BYTES", block_bytes)

    batch = import_rows("paths", "path,conversions\nAlpha|Beta,1\n" + "Direct,1\n" * 20 + "Gamma;Delta,1\n")

    assert batch.status == Import.Status.FAILED
    assert batch.job.error.startswith("The paths have “|” and “;” between words. Say which of them parts the steps")


def test_what_parts_the_steps_can_be_said(shop: Workspace, media_root: Path) -> None:
    upload = start(shop, "path,conversions\nAlpha|Beta,1\nGamma;Delta,1\n")
    assert upload.dataset == Dataset.PATHS

    set_reading(upload=upload, chosen={"path_separator": ";"})
    bring_in(check(reloaded(upload)))

    assert held(shop).keys() == {"Alpha|Beta", "Gamma > Delta"}
    # The next file with these columns is read the same way.
    assert start(shop, "path,conversions\nA,1\n").reading["path_separator"] == ";"


def test_the_command_line_can_say_it_too(shop: Workspace, media_root: Path, tmp_path: Path) -> None:
    file = tmp_path / "paths.csv"
    file.write_text('path,conversions\n"A, B",1\n')

    def import_data(*options: str) -> str:
        printed = io.StringIO()
        call_command("import_data", str(file), "--workspace", shop.slug, *options, stdout=printed)
        return printed.getvalue()

    assert import_data("--path-separator", ",") == "1 accepted, 0 rejected, 0 duplicates\n"
    assert held(shop).keys() == {"A > B"}
    with pytest.raises(CommandError, match="invalid choice"):
        import_data("--path-separator", "and")


def test_the_sample_of_channelattribution_needs_no_mapping(shop: Workspace, media_root: Path) -> None:
    upload = start(shop, SAMPLE)

    assert (upload.dataset, upload.mapping) == (
        Dataset.PATHS,
        {
            "path": "path",
            "conversions": "total_conversions",
            "value": "total_conversion_value",
            "null": "total_null",
        },
    )
    upload = check(upload)
    page = present_check(upload)
    assert page.summary == "4 valid, 0 rejected"
    assert [(card.label, card.total) for card in page.sums] == [
        ("Conversions, by last channel", "4"),
        ("Value, by last channel", "€5.84"),
        ("Journeys without conversion, by last channel", "14"),
    ]
    assert page.days == "Of no day in particular: these paths count in every period."
    assert page.sums[0].parts == [("eta", "2"), ("iota", "2")]
    assert page.new_names == [("4 new channels", "eta, iota, alpha, beta")]
    assert counts(bring_in(upload)) == (4, 0, 0)
    assert held(shop)["beta > eta"] == (1, 2.402, 5)


@pytest.mark.parametrize(
    ("header", "row", "mapping"),
    [
        (
            "REVENUE|CONVERSIONS|NON_CONVERSIONS|TRANSFORMED_PATH",
            "66.5|1|26|Organic_Search",
            {"value": "REVENUE", "conversions": "CONVERSIONS", "null": "NON_CONVERSIONS", "path": "TRANSFORMED_PATH"},
        ),
        (
            "Default channel group path|Key events|Purchase revenue",
            "Email > Direct|12|120.5",
            {"path": "Default channel group path", "conversions": "Key events", "value": "Purchase revenue"},
        ),
        (
            "Monat|Konversionspfad|Konversionen|Umsatz (EUR)|Ohne Conversion",
            "2026-03-01|E-Mail > Direkt|12|120,50|3",
            {
                "date": "Monat",  # by its values
                "path": "Konversionspfad",
                "conversions": "Konversionen",
                "value": "Umsatz (EUR)",
                "null": "Ohne Conversion",
            },
        ),
        (
            "Semaine|Chemin de conversion|Conversions totales|Chiffre d'affaires",
            "2026-03-01|E-mail > Direct|12|120,50",
            {
                "date": "Semaine",
                "path": "Chemin de conversion",
                "conversions": "Conversions totales",
                "value": "Chiffre d'affaires",
            },
        ),
        (
            "Ruta de conversión|Conversiones|Ingresos|Sin conversión",
            "Email > Directo|12|120,50|4",
            {
                "path": "Ruta de conversión",
                "conversions": "Conversiones",
                "value": "Ingresos",
                "null": "Sin conversión",
            },
        ),
        (
            "Conversiepad|Conversies|Omzet|Niet geconverteerd",
            "E-mail > Direct|12|120,50|4",
            {"path": "Conversiepad", "conversions": "Conversies", "value": "Omzet", "null": "Niet geconverteerd"},
        ),
    ],
)
def test_files_of_paths_are_known_in_five_languages(header: str, row: str, mapping: dict[str, str]) -> None:
    names, sample = header.split("|"), [row.split("|")]

    assert guess_dataset(names, sample) == Dataset.PATHS
    assert guess_mapping(Dataset.PATHS, names, sample) == mapping


@pytest.mark.parametrize(
    "header", ["Date,Path,Conversions", "Date,Default channel group path,Key events,Total revenue"]
)
def test_paths_by_day_are_no_report_of_totals_by_day(shop: Workspace, media_root: Path, header: str) -> None:
    row = ["2026-03-01", "Email > Direct", "3", "5.50"][: header.count(",") + 1]

    upload = start(shop, f"{header}\n{','.join(row)}\n")

    assert (upload.dataset, upload.layout, len(upload.mapping)) == (Dataset.PATHS, "", len(row))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Page path|Conversions", "/products/lamp|12"),
        ("path|conversions", "/products/lamp|12"),
        ("path|conversions", "2026-03-01|12"),
    ],
)
def test_the_addresses_of_pages_are_no_paths_of_channels(header: str, row: str) -> None:
    assert guess_dataset(header.split("|"), [row.split("|")]) != Dataset.PATHS


def test_days_of_the_period_count_and_paths_without_a_day_always_do(import_rows: Importer, shop: Workspace) -> None:
    import_rows("paths", DATED + "2026-01-01,A,1,\n2026-02-01,A,2,\n2026-03-01,B,4,\n,B,8,1\n")

    assert held(shop, "2026-02-01", "2026-02-28") == {"A": (2, 0, 0), "B": (8, 0, 1)}
    assert held(shop, "2026-03-01", None) == {"B": (12, 0, 1)}
    assert held(shop, None, "2026-02-01") == {"A": (3, 0, 0), "B": (8, 0, 1)}


def test_only_channels_of_these_paths_are_groups_in_the_order_of_their_colours(
    import_rows: Importer, shop: Workspace
) -> None:
    import_rows("spend", "date,channel,spend\n2026-01-01,TV,5\n2026-01-01,Email,5\n")
    import_rows("paths", HEADER + "Direct > Email > Email,1,,\n")

    table, names = load_paths(workspace=shop)

    assert names == ("Email", "Direct")
    assert (table.groups, table.steps.tolist()) == (2, [1, 0, 0])


def test_a_workspace_without_paths_has_an_empty_table(shop: Workspace) -> None:
    table, names = load_paths(workspace=shop, start=dt.date(2026, 1, 1), end=dt.date(2026, 1, 31))

    assert (len(table), table.groups, names) == (0, 0, ())


def test_renaming_and_merging_channels_hold_without_a_change_of_any_row(import_rows: Importer, shop: Workspace) -> None:
    import_rows("paths", HEADER + "Mail > Direct,1,,\nNewsletter > Direct,2,,\nNewsletter > Mail,4,,\n")
    rows = list(PathCount.objects.order_by("pk").values())
    version = data_version(workspace=shop, datasets=[Dataset.PATHS])
    mail, letter = (shop.channels.get(name=name) for name in ("Mail", "Newsletter"))

    merge_channels(source=letter, target=mail, by=None)

    assert held(shop) == {"Mail > Direct": (3, 0, 0), "Mail > Mail": (4, 0, 0)}
    assert data_version(workspace=shop, datasets=[Dataset.PATHS]) != version
    unmerge_channel(channel=letter, by=None)
    assert data_version(workspace=shop, datasets=[Dataset.PATHS]) == version
    rename_channel(channel=mail, name="Email", by=None)
    assert held(shop).keys() == {"Email > Direct", "Newsletter > Direct", "Newsletter > Email"}
    assert list(PathCount.objects.order_by("pk").values()) == rows


def test_a_former_name_in_a_later_file_means_the_same_path(import_rows: Importer, shop: Workspace) -> None:
    import_rows("paths", HEADER + "Mail,1,,\n")
    rename_channel(channel=shop.channels.get(), name="Email", by=None)

    batch = import_rows("paths", HEADER + "Mail,5,,\nEmail,7,,\n")

    assert counts(batch) == (2, 0, 0)
    assert held(shop) == {"Email": (12, 0, 0)}
    assert Channel.objects.count() == 1


def test_paths_of_other_workspaces_are_not_seen(import_rows: Importer, shop: Workspace) -> None:
    import_rows("paths", HEADER + "A,1,,\n")

    table, names = load_paths(workspace=WorkspaceFactory.create())

    assert (len(table), names) == (0, ())


def test_paths_come_in_one_order_whatever_that_of_the_rows(import_rows: Importer, shop: Workspace) -> None:
    rng = np.random.default_rng(7)
    channels = np.array([f"Channel {n}" for n in range(300)])  # more than fit one byte
    rows = [
        f"2026-01-{rng.integers(1, 29):02},{' > '.join(rng.choice(channels, rng.integers(1, 4)))},{rng.random()},\n"
        for _ in range(200)
    ]
    rows += [f"2026-02-{day:02},Channel 1 > Channel 256,{rng.random()},\n" for day in range(1, 29)]
    import_rows("spend", "date,channel,spend\n" + "".join(f"2026-01-01,{name},1\n" for name in channels))
    tables = []
    for order in (rows, rows[::-1]):
        batch = import_rows("paths", DATED + "".join(order))
        tables.append(load_paths(workspace=shop)[0])
        Import.objects.filter(pk=batch.pk).update(status=Import.Status.UNDONE)
        PathCount.objects.all().update(shadowed=True)

    one, other = tables
    for column in ("offsets", "steps", "conversions", "value", "nulls"):
        assert np.array_equal(getattr(one, column), getattr(other, column)), column
    paths = [tuple(one.steps[start:stop]) for start, stop in zip(one.offsets, one.offsets[1:], strict=False)]
    assert paths == sorted(set(paths), key=lambda path: (len(path), path))


def test_settings_say_that_the_data_named_a_channel_of_paths(import_rows: Importer, shop: Workspace) -> None:
    import_rows("paths", HEADER + "Podcast > Direct,1,,\n")

    figures = channel_figures(workspace=shop, index=channel_index(workspace=shop))

    assert figures is not None
    assert figures["Podcast"].named


@pytest.mark.parametrize(
    ("first", "second", "is_told"),
    [
        (HEADER + "A,1,,\n", HEADER + "A,1,,\nB,2,,\n", True),
        (HEADER + "A,1,,\n", DATED + "2026-01-01,A,1,\n", True),
        (DATED + "2026-01-01,A,1,\n", HEADER + "A,1,,\n", True),
        (DATED + "2026-01-01,A,1,\n", DATED + "2026-01-01,B,1,\n", True),
        (DATED + "2026-01-01,A,1,\n", DATED + "2026-02-01,A,1,\n", False),
    ],
)
def test_a_check_tells_of_earlier_paths_that_would_count_beside_these(
    import_rows: Importer, shop: Workspace, first: str, second: str, is_told: bool
) -> None:
    import_rows("paths", first)

    notes = present_check(check(start(shop, second))).notes

    assert [note.startswith("1 earlier import brought paths of the same days") for note in notes] == [True] * is_told
