"""What the page of experiments shows: each test beside what the model says of the same days, and what to test next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse

from accounts.models import User, Workspace
from accounts.permissions import Permission, allows
from analyses.age import stale_sentence
from analyses.artifacts import ArtifactMissing
from analyses.documents import NO_FIGURE, Figure, Section
from analyses.models import Run
from analyses.runs import inputs_changed
from marketing.experiments import VisibleExperiment, visible_experiments
from marketing.importing.undo_requests import WAITING, delete_permission
from marketing.models import Dataset, Import
from mmm_project import formats
from weightings.lift_tests.entries import reach
from weightings.lift_tests.runs import NamesNow, newest_run
from weightings.methods.experiments.lifts import AGREEMENT_FAIL, AGREEMENT_REVIEW
from weightings.presentation.results import Result
from weightings.presentation.testing_sections import PRECISION, TITLE, precision_needed, withheld, worth_testing
from weightings.standing import doubts

CLOSE = 1e-6  # numbers of one test, in the data and in a run
LEAST_SHOWN = 0.001  # of probabilities
UNKNOWN = Figure(NO_FIGURE, "Not known")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether a test and the model agree, in a word; `tone` of its badge, and `why` in a sentence."""

    label: str
    tone: str
    why: str


NOT_IN_RUN = Agreement("Not in the run", "quiet", "It was entered since. Calculate weightings again to have it in.")
CHANGED = Agreement("Changed since", "quiet", "It was corrected since. Calculate weightings again to have it in.")
MERGED = Agreement(
    "Merged since", "quiet", "The run has its channel and others apart. Calculate weightings again to have them as one."
)
NO_RUN = Agreement("No model yet", "quiet", "Calculate weightings to hold it against a model.")


@dataclass(frozen=True, kw_only=True)
class ListedTest:
    """A test for the table. Addresses are "" where the reader may not go.

    `instead_of`: that others do not count because of it, if so. `without`, `with_it`: the lift that the model says;
    `before`, `after`: the channel's return. The first of each is without any experiment, the second with all.
    """

    channel: str
    days: str
    geo: str
    instead_of: str
    lift: Figure
    spend: Figure
    roi: Figure
    without: Figure
    with_it: Figure
    before: Figure
    after: Figure
    agreement: Agreement
    source: str
    source_url: str
    correct_url: str
    undo_url: str


@dataclass(frozen=True, kw_only=True)
class Moving:
    """An import of experiments that is on its way in or out, or has failed: what to say of it, and its page."""

    text: str
    url: str
    failed: bool


@dataclass(frozen=True, kw_only=True)
class ExperimentsPage:
    """`rows`: the tests that count; `moving`: imports of others. `model`: the run that speaks; `notes`: on it.

    `sections`: what to test next, or why that is not said.
    """

    rows: Sequence[ListedTest]
    moving: Sequence[Moving]
    levels: str
    run: Run | None
    model: str
    notes: Sequence[str]
    returned: str
    sections: Sequence[Section]

    @property
    def is_moving(self) -> bool:
        return any(not each.failed for each in self.moving)


def present_experiments(workspace: Workspace, *, user: User, role: str) -> ExperimentsPage:
    """Return what the page shows to a member with this role."""
    run = newest_run(workspace)
    result = None if run is None else Result(run)
    names = None if result is None else NamesNow(result)
    tests = visible_experiments(workspace)
    return ExperimentsPage(
        rows=[_row(workspace, test, result, names, user=user, role=role) for test in reversed(tests)],
        moving=_moving(workspace),
        levels=_levels(workspace, result),
        run=run,
        model="" if result is None else f"{result.outcome}, {result.model_label}, {result.period.label}",
        notes=() if run is None or result is None else tuple(_notes(run, result)),
        returned="Incremental ROI" if result is None else result.return_words,
        sections=() if run is None or result is None else _next(run, result),
    )


def _row(
    workspace: Workspace,
    test: VisibleExperiment,
    result: Result | None,
    names: NamesNow | None,
    *,
    user: User,
    role: str,
) -> ListedTest:
    found, agreement = _of_run(test, result, names)
    slug, batch = workspace.slug, test.batch
    may_undo = batch.origin != Import.Origin.DEMO and batch.undone_at is None
    may_undo = may_undo and allows(role, delete_permission(batch=batch, user=user))
    correct = f"{reverse('weightings:new_experiment', kwargs={'slug': slug})}?experiment={test.pk}"
    return ListedTest(
        channel=test.channel,
        days=test.period.label,
        geo=test.geo,
        instead_of=_instead_of(test),
        lift=_interval(
            test.lift,
            reach(test.standard_error, workspace.confidence),
            lambda amount: formats.short_money(amount, workspace.currency),
        ),
        spend=Figure(
            formats.short_money(test.spend, workspace.currency),
            formats.money(test.spend, workspace.currency),
            test.spend,
        ),
        roi=_interval(
            test.lift / test.spend, reach(test.standard_error, workspace.confidence) / test.spend, formats.ratio
        )
        if test.spend > 0
        else Figure(NO_FIGURE, "Nothing was spent on it"),
        without=_said(result, found, "before", "lift"),
        with_it=_said(result, found, "after", "lift"),
        before=_said(result, found, "before", "incremental_per_spend"),
        after=_said(result, found, "after", "incremental_per_spend"),
        agreement=agreement,
        source="Demo data" if batch.origin == Import.Origin.DEMO else f"Import {batch.pk}",
        source_url=reverse("marketing:import", kwargs={"slug": slug, "import_id": batch.pk}),
        correct_url=correct if allows(role, Permission.IMPORT) else "",
        undo_url=reverse("marketing:undo_import", kwargs={"slug": slug, "import_id": batch.pk}) if may_undo else "",
    )


def _instead_of(test: VisibleExperiment) -> str:
    others = formats.count(test.instead_of, "other test")
    return f"Counts instead of {others} of these days, as their channels are merged." if test.instead_of else ""


def _interval(middle: float, margin: float, text: Any) -> Figure:
    low, high = middle - margin, middle + margin
    return Figure(text(middle), text(middle), middle, low, high, text(low), text(high))


def _of_run(
    test: VisibleExperiment, result: Result | None, names: NamesNow | None
) -> tuple[Mapping[str, Any], Agreement]:
    """What the run has of a test, and whether they agree."""
    if result is None or names is None:
        return {}, NO_RUN
    same = [each for each in result.data.get("experiments", ()) if _is(test, each, names)]
    if not same:
        return {}, NOT_IN_RUN
    if names.are_several(test.channel):
        return {}, MERGED
    found = next((each for each in same if _has_numbers(test, each)), None)
    if found is None:
        return {}, CHANGED
    if found["route"] is None:
        return {}, Agreement("Not used", "quiet", found["why"])
    said = found["before"] or found["after"] or {}
    probability = said.get("tail_probability")
    if probability is None:
        return found, Agreement("Not comparable", "quiet", found["why"] or "The run says nothing of these days.")
    return found, _agreement(probability, has_learnt=found["before"] is None)


def _agreement(probability: float, *, has_learnt: bool) -> Agreement:
    """`probability`: of a lift as far out as the test's, by the model; which has learnt from it, or not."""
    by = "the model, which has learnt from it," if has_learnt else "the model without tests"
    shown = formats.percent(probability) if probability >= LEAST_SHOWN else f"less than {formats.percent(LEAST_SHOWN)}"
    why = f"By {by} a lift as far out has a probability of {shown}."
    if probability < AGREEMENT_FAIL:
        return Agreement("Contradicts", "bad", why)
    return Agreement("In doubt", "warn", why) if probability < AGREEMENT_REVIEW else Agreement("Agrees", "good", why)


def _is(test: VisibleExperiment, found: Mapping[str, Any], names: NamesNow) -> bool:
    key = (test.period.start.isoformat(), test.period.end.isoformat(), test.geo)
    return key == (found["start"], found["end"], found["geo"]) and names.is_of(test.channel, found["channel"])


def _has_numbers(test: VisibleExperiment, found: Mapping[str, Any]) -> bool:
    numbers = ((found["lift"], test.lift), (found["standard_error"], test.standard_error), (found["spend"], test.spend))
    return all(abs(one - other) <= CLOSE * max(abs(one), abs(other)) for one, other in numbers)


def _said(result: Result | None, found: Mapping[str, Any], fit: str, what: str) -> Figure:
    said = (found.get(fit) or {}).get(what)
    if result is None or said is None:
        return UNKNOWN
    return result.amounts(said) if what == "lift" else result.returns(said)


def _moving(workspace: Workspace) -> list[Moving]:
    """Imports of experiments that are on their way in or out, and the newest one if it has failed."""
    imports = Import.objects.filter(workspace=workspace, dataset=Dataset.EXPERIMENTS).select_related("job")
    leaving = Q(status=Import.Status.ACTIVE, undone_at__isnull=False)
    found = [
        Moving(
            text=f"“{batch.file_name}” is being {'taken back' if batch.undone_at else 'saved'}.",
            url=_import_url(workspace, batch),
            failed=False,
        )
        for batch in imports.filter(Q(status__in=WAITING) | leaving)
    ]
    newest = imports.first()
    if newest is not None and newest.status == Import.Status.FAILED:
        why = newest.job.error or "It was cancelled."
        text = f"“{newest.file_name}” could not be saved. {why}"
        found.append(Moving(text=text, url=_import_url(workspace, newest), failed=True))
    return found


def _import_url(workspace: Workspace, batch: Import) -> str:
    return reverse("marketing:import", kwargs={"slug": workspace.slug, "import_id": batch.pk})


def _levels(workspace: Workspace, result: Result | None) -> str:
    """Of what level intervals are."""
    measured = f"{workspace.confidence}% intervals"
    if result is None or result.data["confidence"] == workspace.confidence:
        return f"Lifts and returns with {measured}."
    return f"What was measured with {measured}, what the model says with {result.interval_words}s."


def _notes(run: Run, result: Result) -> Iterator[str]:
    """What has to be said with what the run says."""
    if doubts(result.data):
        why = "fails checks" if result.converged else "has not converged"
        yield f"This run {why}: what it says of tests is not to be relied on."
    if stale := stale_sentence(run):
        yield stale
    if inputs_changed(run):
        yield "Data have changed since this run. Calculate weightings again for a model that knows them all."


def _next(run: Run, result: Result) -> Sequence[Section]:
    """What to test next, and how precisely; of a run that cannot say it, why."""
    if why := withheld(result):
        return worth_testing(result) or (Section(title=TITLE, sentences=(why,)),)
    from weightings.stored import StoredModel  # SciPy and more: only where there are draws to be read

    try:
        precise = precision_needed(result, StoredModel(run).quantities)
    except ArtifactMissing as missing:
        precise = (Section(title=PRECISION, sentences=(str(missing),)),)
    return (*worth_testing(result), *precise)
