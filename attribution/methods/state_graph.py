"""The states of a Markov chain and the moves between them."""

from dataclasses import dataclass

from marketing.frames import Int64Column


@dataclass(frozen=True, slots=True, eq=False)
class StateGraph:
    """States of a chain, and the moves between them that some path makes.

    `grams`: (S, order) int64, the groups in `0..groups-1` that each state remembers, oldest first; -1 before the path
    began. `origin`, `target`: (E,) int64, the states that each move leaves and reaches, in ascending order; origin S is
    the start.

    The T = E + 2 S transitions are numbered: moves first, then conversion from each state, then null from each state.
    """

    groups: int
    grams: Int64Column
    origin: Int64Column
    target: Int64Column

    @property
    def order(self) -> int:
        return int(self.grams.shape[1])

    @property
    def states(self) -> int:
        return len(self.grams)

    @property
    def moves(self) -> int:
        return len(self.origin)

    @property
    def transitions(self) -> int:
        return self.moves + 2 * self.states
