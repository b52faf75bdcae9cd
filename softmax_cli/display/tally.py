"""What is said of all samples together, gathered as they pass."""

from collections.abc import Iterable, Iterator

import numpy as np

from softmax_cli.mathematics import core
from softmax_cli.samples import Batch


class Tally:
    """Counts how often each class is the most probable, and averages the entropy.

    The entropy of a sample is H = -sum_j y_j log y_j, in nats (Shannon 1948).

    Attributes
    ----------
    count, wins
        How many samples there were, and how many of them each class won.
    certain
        Whether each had one class only that is not masked, so that H is exactly 0.
    """

    def __init__(self, n_classes: int, temperature: float) -> None:
        self.temperature = temperature
        self.count = 0
        self.wins = np.zeros(n_classes, dtype=np.int64)
        self.certain = True
        self._total_entropy = 0.0

    def watch(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Pass batches on, counting."""
        for batch in batches:
            y = core.softmax(batch.logits, temperature=self.temperature)
            log_y = core.log_softmax(batch.logits, temperature=self.temperature)
            with np.errstate(invalid="ignore"):
                # A masked class adds nothing: y log y goes to 0 with y.
                terms = np.where(y > 0, y * log_y, 0.0)
            self.count += len(y)
            self.wins += np.bincount(y.argmax(axis=1), minlength=len(self.wins))
            self._total_entropy -= float(terms.sum())
            if self.certain:
                self.certain = bool((np.isfinite(batch.logits).sum(axis=1) == 1).all())
            yield batch

    @property
    def entropy(self) -> float:
        """The mean entropy of the samples so far, in nats."""
        return self._total_entropy / self.count if self.count else 0.0
