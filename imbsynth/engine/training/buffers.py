"""Room for what a training keeps of its images: on the device, on the CPU within `--memory`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from imbsynth.core.pixels import WrittenRows
from imbsynth.store.filling import buffer_for
from imbsynth.store.row_files import Form

DeviceBuffer = Tensor | WrittenRows


def buffer_on(device: torch.device, form: Form, count: int, what: str) -> DeviceBuffer:
    """Room for `count` rows; what: they are, in the plural, for messages.

    In the memory of the device; on the CPU in a file where memory has no room.
    """
    if device.type != "cpu":
        dtype = torch.from_numpy(np.empty(0, form.dtype)).dtype
        return torch.empty((count, *form.size), dtype=dtype, device=device)
    rows = buffer_for(form, count, what)
    return torch.from_numpy(rows) if isinstance(rows, np.ndarray) else WrittenRows(rows)
