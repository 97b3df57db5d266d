"""Lists the modes: a new one joins with a module and a line."""

from collections.abc import Mapping

from etl_contract import LoadMode
from etl_load._modes._append import Append
from etl_load._modes._history import History
from etl_load._modes._mode import Counts, Index, Mode
from etl_load._modes._partition import Partition
from etl_load._modes._replace import Replace
from etl_load._modes._upsert import Upsert

MODES: Mapping[LoadMode, Mode] = {
    LoadMode.append: Append(),
    LoadMode.replace: Replace(),
    LoadMode.partition: Partition(),
    LoadMode.upsert: Upsert(),
    LoadMode.history: History(),
}

__all__ = ["MODES", "Counts", "Index", "Mode"]
