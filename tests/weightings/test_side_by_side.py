"""The benchmark that sets the media mix model beside its peers: with made-up peers and made-up records."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchmarks.run
from benchmarks import side_by_side
from benchmarks.harness import Measurement
from benchmarks.records import Records
from benchmarks.side_by_side import measuring
from benchmarks.side_by_side.measuring import measure
from benchmarks.side_by_side.programs import OURS, System, systems
from benchmarks.side_by_side.serving import outside
from benchmarks.side_by_side.summary import measurements
from benchmarks.side_by_side.worlds import FAMILIES, GivenWorld, against_truth, write_worlds

LONG = 120.0  # seconds that no fit of a made-up peer takes

# Draws of a peer that are independent, so that as many count as there are. `weeks` tells worlds apart.
PEER = """
import sys, time
import numpy as np

PACKAGES = ("numpy",)
print("imported")


def fit(world, scale):
    print("fitting")
    weeks = len(world["revenue"])
    if weeks == 1:
        time.sleep(600)
    if weeks == 2:
        sys.exit("No such luck.")
    return weeks, scale


def report(fitted):
    weeks, scale = fitted
    rng = np.random.default_rng(3)
    count = 60 * scale if weeks == 3 else 250 * scale
    draws = rng.standard_normal((4, count, 2))
    if weeks == 4:
        draws += 5 * np.arange(4)[:, None, None]
    return {
        "draws": {"pair": draws, "one": rng.random((4, count))},
        "roi": np.exp(draws + np.log(2)),
        "sampling_seconds": 1e6 if weeks == 4 else 0.5,
        "divergences": 0,
        "settings": {"draws": count},
    }
"""
STUCK, CRASHING, NEEDS_MORE, HOPELESS, EASY = 1, 2, 3, 4, 5  # weeks


@pytest.fixture
def peer(tmp_path: Path) -> System:
    program = tmp_path / "peer.py"
    program.write_text(PEER)
    return System("peer", "Peer", program, Path(sys.executable))


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "records.jsonl", {"study": "side by side"})


def given(folder: Path, weeks: int, name: str = "") -> GivenWorld:
    path = folder / f"{weeks}.npz"
    np.savez(path, spend=np.ones((weeks, 2)), revenue=np.ones(weeks))
    return GivenWorld(name or f"world:{weeks}", path, np.array([2.0, 2.0]))


def test_compiling_is_left_out_of_sampling_once() -> None:
    """Of ten seconds: half a one before, 1 to 4 in two spans that overlap, the last one and longer."""
    assert outside((0.0, 10.0), [(2.0, 4.0), (9.0, 12.0), (-5.0, 0.5), (1.0, 3.0)]) == pytest.approx(5.5)
    assert outside((0.0, 10.0), []) == 10.0
    assert outside((0.0, 10.0), [(-1.0, 11.0)]) == 0.0


# --- A system's fits ---


def test_the_first_fit_is_cold_and_the_next_are_warm(peer: System, records: Records, tmp_path: Path) -> None:
    worlds = [given(tmp_path, EASY), given(tmp_path, EASY + 1)]
    measure(peer, worlds, records, tmp_path, budget_seconds=LONG)
    first, second = (records[f"peer:{world.name}"] for world in worlds)
    assert (first["cold"], second["cold"]) == (True, False)
    assert first["converged"]
    assert second["converged"]
    assert first["attempts"] == second["attempts"] == 1
    assert first["seconds"] == first["seconds_since_start"] > first["import_seconds"] > 0
    assert second["seconds"] < second["seconds_since_start"]
    assert first["parameters"] == 3
    assert first["max_rhat"] <= 1.01
    assert first["min_roi_ess"] > 400
    np.testing.assert_allclose(first["roi"], np.outer([0.386, 2.0, 10.36], [1, 1]), rtol=0.15)
    assert first["versions"] == {"numpy": np.__version__}


def test_a_fit_that_needs_more_draws_is_timed_alone(peer: System, records: Records, tmp_path: Path) -> None:
    """Of a cold one, the last attempt is cold, too."""
    worlds = [given(tmp_path, NEEDS_MORE, "first:3"), given(tmp_path, NEEDS_MORE, "second:3")]
    measure(peer, worlds, records, tmp_path, budget_seconds=LONG)
    for name, cold in (("first", True), ("second", False)):
        record = records[f"peer:{name}:3"]
        assert (record["cold"], record["converged"], record["attempts"]) == (cold, True, 2)
        assert record["settings"] == {"draws": 120}
        assert record["seconds"] < record["spent_seconds"]
    assert len(list(tmp_path.glob("peer-*/run"))) == 2


def test_a_fit_beyond_the_budget_is_killed_and_the_next_is_cold(peer: System, tmp_path: Path) -> None:
    fitting = measuring._Fitting(peer, tmp_path, 0.3)
    record = fitting.fit(given(tmp_path, STUCK))
    assert (record["cold"], record["converged"], record["killed"]) == (True, False, True)
    assert (record["seconds"], record["attempts"]) == (0.3, 1)
    fitting._budget_seconds = LONG
    assert fitting.fit(given(tmp_path, EASY))["cold"]
    assert not fitting.fit(given(tmp_path, EASY))["cold"]
    fitting.close()


def test_an_attempt_that_cannot_end_in_time_is_not_begun(peer: System, records: Records, tmp_path: Path) -> None:
    worlds = [given(tmp_path, HOPELESS), given(tmp_path, EASY)]
    measure(peer, worlds, records, tmp_path, budget_seconds=LONG)
    hopeless, easy = (records[f"peer:{world.name}"] for world in worlds)
    assert (hopeless["converged"], hopeless["killed"], hopeless["attempts"]) == (False, False, 1)
    assert hopeless["seconds"] == LONG
    assert hopeless["max_rhat"] > 2
    assert len(hopeless["log_error"]) == 2
    assert (easy["cold"], easy["converged"]) == (False, True)


def test_a_program_that_fails_is_shown_with_what_it_wrote(peer: System, records: Records, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"(?s)Peer ended with code 1:\nimported\nfitting\nNo such luck\."):
        measure(peer, [given(tmp_path, CRASHING)], records, tmp_path, budget_seconds=LONG)


def test_a_program_that_cannot_begin_is_shown_as_well(peer: System, records: Records, tmp_path: Path) -> None:
    peer.program.write_text("import no_such_package")
    with pytest.raises(SystemExit, match="no_such_package"):
        measure(peer, [given(tmp_path, EASY)], records, tmp_path, budget_seconds=LONG)


# --- The whole ---


def test_a_peer_that_is_absent_is_left_out(
    peer: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = System("absent", "Absent", tmp_path / "absent.py", tmp_path / "bin" / "python")
    monkeypatch.setattr(side_by_side, "systems", lambda: [peer, absent])
    monkeypatch.setattr(side_by_side, "write_worlds", lambda folder: [given(folder, EASY)])
    monkeypatch.setenv("SIDE_BY_SIDE_RECORDS", str(tmp_path / "kept.jsonl"))
    monkeypatch.delenv("SIDE_BY_SIDE_SYSTEMS", raising=False)
    found = side_by_side.run("sqlite")
    shown = capsys.readouterr().err
    assert "Absent is left out" in shown
    assert "make setup-peers" in shown
    assert "peer:world:5: cold, converged" in shown
    assert value_of(found, "Peer: worlds") == 1
    assert not any("Absent" in figure.what for figure in found)
    assert json.loads((tmp_path / "kept.jsonl").read_text().splitlines()[1])["key"] == "peer:world:5"
    assert side_by_side.run("sqlite") == found  # from the records
    assert capsys.readouterr().err.count("converged") == 0
    assert side_by_side.run("postgresql") == []


def test_systems_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PEERS", str(tmp_path))
    monkeypatch.setenv("SIDE_BY_SIDE_SYSTEMS", "meridian, ours")
    chosen = side_by_side.asked_systems()
    assert [system.name for system in chosen] == ["meridian", "ours"]
    assert chosen[0].python == tmp_path / "meridian" / "bin" / "python"
    assert chosen[0].obstacle
    assert not chosen[1].obstacle
    monkeypatch.setenv("SIDE_BY_SIDE_SYSTEMS", "robyn")
    with pytest.raises(SystemExit, match="there is no robyn, only ours, meridian"):
        side_by_side.asked_systems()


def test_each_system_has_a_program_and_each_peer_its_requirements() -> None:
    assert systems()[0].name == OURS
    for system in systems():
        assert system.program.exists()
        if system.name != OURS:
            assert (system.program.parent / "requirements" / f"{system.name}.txt").exists()


def test_it_is_run_by_name_only() -> None:
    assert "side_by_side" in benchmarks.run.benchmark_names()
    assert "side_by_side" not in benchmarks.run.usual_names()
    assert "recovery" in benchmarks.run.usual_names()


def test_programs_are_not_given_the_truth(tmp_path: Path) -> None:
    worlds = write_worlds(tmp_path)
    assert [world.name for world in worlds] == [f"{family}:301" for family in FAMILIES]
    with np.load(worlds[0].path) as stored:
        assert set(stored) == {"spend", "revenue", "dates", "channels"}
        assert stored["spend"].shape == (156, 5)
        assert stored["dates"][0] == "2022-01-03"
        assert stored["dates"].shape == stored["revenue"].shape == (156,)
        assert worlds[0].roi.shape == stored["channels"].shape == (5,)


def test_a_posterior_is_held_against_the_truth() -> None:
    draws = np.linspace([1.0, 3.0], [3.0, 5.0], 101).reshape(1, 101, 2)
    found = against_truth(draws, np.array([2.0, 2.0]))
    np.testing.assert_allclose(found["roi"], [[1.1, 3.1], [2.0, 4.0], [2.9, 4.9]])
    assert found["covered"] == [True, False]
    np.testing.assert_allclose(found["log_error"], [0, np.log(2)])
    np.testing.assert_allclose(found["log_width"], np.log([2.9 / 1.1, 4.9 / 3.1]))


# --- Ratios and verdicts ---


def record(*, cold: bool, seconds: float, converged: bool = True, **other: Any) -> dict[str, Any]:
    return {
        "cold": cold,
        "converged": converged,
        "seconds": seconds,
        "import_seconds": 2.0,
        "sampling_seconds": 2.0,
        "min_bulk_ess": 900.0,
        "min_tail_ess": 800.0,
        "min_roi_ess": 1200.0,
        "max_rhat": 1.004,
        "divergences": 1,
        "settings": {"draws": 500},
        "covered": [True, False],
        "log_error": [0.1, -0.3],
        "log_width": [1.0, 2.0],
        **other,
    }


OF_OURS = (record(cold=True, seconds=10), record(cold=False, seconds=3), record(cold=False, seconds=5))


def summed_up(records: Records, theirs: tuple[Mapping[str, Any], ...]) -> list[Measurement]:
    names = ["a:1", "b:1", "c:1"]
    for system, fits in ((OURS, OF_OURS), ("peer", theirs)):
        for name, fit in zip(names, fits, strict=True):
            records.add(f"{system}:{name}", fit)
    peer = System("peer", "Peer", Path("peer.py"), Path("python"))
    return measurements([systems()[0], peer], names, records)


def value_of(found: list[Measurement], what: str) -> float:
    return figure_of(found, what).value


def figure_of(found: list[Measurement], what: str) -> Measurement:
    """The only one, or the last one, of this name."""
    return [figure for figure in found if figure.what.strip() == what][-1]


def test_ratios_are_those_of_worlds_fitted_in_the_same_way(records: Records) -> None:
    slow: dict[str, Any] = {"sampling_seconds": 40.0, "log_error": [0.2, -0.1]}
    found = summed_up(
        records,
        (
            record(cold=True, seconds=45, **slow),
            record(cold=False, seconds=30, **slow),
            record(cold=True, seconds=240, converged=False, min_bulk_ess=20.0, log_error=[0.2, 0.4]),
        ),
    )
    assert value_of(found, "ours: worlds") == value_of(found, "Peer: worlds") == 3
    assert value_of(found, "Peer and ours: worlds") == 3
    cold = figure_of(found, "seconds, theirs / ours, cold")
    assert (cold.value, cold.verdict) == (4.5, "met")
    warm = figure_of(found, "seconds, theirs / ours, warm, new data")  # the third is cold, as the second was killed
    assert (warm.value, warm.verdict) == (10.0, "met")
    draws = figure_of(found, "effective draws a second, ours / theirs, all parameters")
    assert (draws.value, draws.verdict) == (20.0, "met")
    error = figure_of(found, "mean absolute error of log ROI, ours / theirs")
    assert error.value == pytest.approx(0.2 / 0.2)
    assert "c:1, not converged" in [figure.what.strip() for figure in found]


def test_a_ratio_below_its_floor_is_missed(records: Records) -> None:
    fits = (
        record(cold=True, seconds=39),
        record(cold=False, seconds=39, log_error=[0.1, 0.1]),
        record(cold=False, seconds=39),
    )
    found = summed_up(records, fits)
    assert figure_of(found, "seconds, theirs / ours, cold").verdict == "MISSED"
    assert figure_of(found, "seconds, theirs / ours, warm, new data").verdict == "MISSED"
    assert figure_of(found, "effective draws a second, ours / theirs, all parameters").verdict == "MISSED"
    assert figure_of(found, "mean absolute error of log ROI, ours / theirs").verdict == "MISSED"


def test_what_cannot_be_compared_is_named(records: Records) -> None:
    """A peer that never ends in time: each world is cold, as the one before was killed, and there are no draws."""
    killed = {"cold": True, "converged": False, "killed": True, "seconds": 240.0, "attempts": 1}
    found = summed_up(records, (killed, killed, killed))
    names = [figure.what.strip() for figure in found]
    assert value_of(found, "seconds, theirs / ours, cold") == 24
    assert value_of(found, "seconds, warm, new data: worlds to compare") == 0
    assert "Peer has not converged in any world: no draws a second" in names
    assert not any("ours / theirs" in name for name in names)
    assert all(len(figure.what) <= 60 for figure in found)
