"""Experience in the forms that others read: Parquet, JSON lines of several kinds, ATIF, Minari, agent traces."""

from .atif_reading import ImportReport, import_atif
from .common import ExportReport
from .dispatch import EXPORTS, FORMATS, export

__all__ = ["EXPORTS", "FORMATS", "ExportReport", "ImportReport", "export", "import_atif"]
