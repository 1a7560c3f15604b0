"""A sweep as labelled arrays: an xarray Dataset, with a dimension an axis and units beside the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import EstimatorError
from .sweep import Sweep
from .table import REASON, Coded, Table, bounded, shown


def dataset(sweep: Sweep) -> Any:
    """Return all cells as an `xarray.Dataset`.

    Raises
    ------
    EstimatorError
        xarray is not installed, or the cells are too many to be held.
    """
    try:
        import xarray
    except ImportError:
        raise EstimatorError(
            "labelled arrays need xarray; install it with: pip install 'train-estimator[arrays]'"
        ) from None
    table = Table(sweep)
    bounded(sweep, len(table.columns))
    arrays = _arrays(sweep, table)
    names = [axis.name for axis in sweep.axes]
    units = {column.name: {"units": column.unit} if column.unit else {} for column in table.columns}
    labels = {
        name: (names[place], _words(label) if isinstance(label, Coded) else label, units[name])
        for name, (place, label) in table.labels.items()
    }
    return xarray.Dataset(
        {name: (names, array, units[name]) for name, array in arrays.items()}, coords=labels
    )


def _arrays(sweep: Sweep, table: Table) -> dict[str, Any]:
    """Return every quantity, every end and the reasons in the shape of the sweep."""
    found: dict[str, Any] = {
        column.name: np.empty(sweep.shape, dtype=object if column.name == REASON else np.float64)
        for column in table.columns
        if column.name not in table.labels
    }
    for chunk in sweep.chunks():
        for name, unit in table.quantities.items():
            found[name][chunk.box] = shown(chunk.values[name], unit)
        for name, unit in table.ranged.items():
            found[f"{name}_low"][chunk.box] = shown(chunk.low[name], unit)
            found[f"{name}_high"][chunk.box] = shown(chunk.high[name], unit)
        found[REASON][chunk.box] = np.array(chunk.reasons, dtype=object)[chunk.reason]
    return found


def _words(label: Coded) -> Any:
    return np.array(label.words)[label.codes]
