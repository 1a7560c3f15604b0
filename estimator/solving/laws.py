"""The best size of a model by a recorded law of the loss: what it is trained on, and what other laws say."""

from __future__ import annotations

from collections.abc import Mapping

from ..arrays import array
from ..formulas.scaling_laws import (
    Law,
    law_loss,
    lifetime_flops,
    optimal_at_loss,
    optimal_parameters,
    optimal_tokens,
)
from ..presets import Presets
from ..provenance import Figure, Origin
from ..records import Record
from ..tuples import NamedTuple
from .unknowns import Values

# The first is taken where none is named; each is a record of assumptions, loss-...
LAWS = ("besiroglu-2024", "hoffmann-2022")


class Optimum(NamedTuple):
    """A size, its tokens and the loss that it reaches, by one law."""

    law: str
    parameters: float
    tokens: float
    loss: float


class Life(NamedTuple):
    """What serving changes: the compute-optimal model of the same loss, and FLOPs over those that it takes."""

    optimum: Optimum
    training: float
    whole: float


class Chosen(NamedTuple):
    """The law by which tokens follow from a size, and the tokens that the model is to serve."""

    record: Record
    served: float

    @property
    def name(self) -> str:
        """What the law is called in a sentence."""
        return str(self.record.words["short"])

    @property
    def law(self) -> Law:
        """Its constants."""
        return Law(*(array(self.record.value(field)) for field in Law._fields))

    @property
    def figure(self) -> Figure:
        """One of its figures, to cite it by."""
        return self.record.figures["token_exponent"]

    def tokens(self, parameters: Values) -> Values:
        """Return the tokens on which models of such sizes are best trained."""
        return optimal_tokens(parameters, array(self.served), self.law) + 0.0 * parameters

    def origin(self) -> Origin:
        """Say where the tokens came from."""
        served = f" for a model that is to serve {self.served:.4g} tokens" if self.served else ""
        return Origin("assumed", f"the best for this size by {self.name}{served}", self.figure, "--tokens")

    def optimum(self, flops: float) -> Optimum:
        """Return the compute-optimal model of a compute."""
        size = optimal_parameters(array(flops), self.law)
        return self.of(float(size), flops / (6.0 * float(size)))

    def of(self, parameters: float, tokens: float) -> Optimum:
        """Return a size and its tokens with the loss that they reach."""
        loss = law_loss(array(parameters), array(tokens), self.law)
        return Optimum(self.name, parameters, tokens, float(loss))

    def life(self, trained: Optimum) -> Life:
        """Return what serving changes of a model, against the compute-optimal one of its loss."""
        size = optimal_at_loss(array(trained.loss), self.law)
        other = self.of(float(size), float(optimal_tokens(size, array(0.0), self.law)))
        whole = [
            float(lifetime_flops(array(each.parameters), array(each.tokens), array(self.served)))
            for each in (trained, other)
        ]
        training = trained.parameters * trained.tokens / (other.parameters * other.tokens)
        return Life(other, training, whole[0] / whole[1])


def laws(presets: Presets, name: str | None = None, served: float = 0.0) -> tuple[Chosen, ...]:
    """Return the law that is named, or the first, and the others after it."""
    ordered = sorted(LAWS, key=lambda law: law != (name or LAWS[0]))
    return tuple(Chosen(presets.load("assumptions", f"loss-{law}"), served) for law in ordered)


def open_tokens(given: Mapping[str, object]) -> bool:
    """Tell whether a question leaves its tokens open."""
    return not given.keys() & {"tokens", "tokens_per_param", "epochs", "dataset_tokens", "samples"}
