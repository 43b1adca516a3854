"""The expected failures of asking a question."""

from collections.abc import Mapping

from jobs.handlers import JobFailed
from mmm_project.problems import Invalid


class AnalysisError(JobFailed):
    """The data cannot answer the question; the sentence says why: "No conversions between 1 and 30 June."."""

    def __init__(self, sentence: str, code: str = "analysis_failed") -> None:
        super().__init__(sentence, code)


class InvalidParams(Invalid):
    """The question itself cannot be used; `errors` maps each parameter to one sentence."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()), errors={name: [sentence] for name, sentence in errors.items()})
