"""Finds dates and timestamps that are endless: Arrow has none, so extract and DuckDB give the ends of their type."""

import pyarrow as pa
import pyarrow.compute as pc


def parted(values: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Give times of which the endless ones are missing, and the signs of these; none where none is, as mostly."""
    integer = pa.int32() if values.type.bit_width == pa.int32().bit_width else pa.int64()
    counted = values.view(integer)
    most = 2 ** (integer.bit_width - 1) - 1
    if most not in map(abs, filter(None, pc.min_max(counted).as_py().values())):
        return values, None
    endless = pc.is_in(counted, pa.array([most, -most], integer))
    return pc.if_else(endless, None, values), pc.if_else(endless, pc.sign(counted), None)
