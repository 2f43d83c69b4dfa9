"""Two runs side by side: where they differ, and what that means."""

from cardtwin.comparing.answers import VOLATILE, Difference, Kind, differences, origins
from cardtwin.comparing.calls import compare_calls
from cardtwin.comparing.runs import compare_results, compare_traces

__all__ = [
    "VOLATILE",
    "Difference",
    "Kind",
    "compare_calls",
    "compare_results",
    "compare_traces",
    "differences",
    "origins",
]
