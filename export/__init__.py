"""Experience in the forms that others read: Parquet, chat and prompt-completion JSON lines, ATIF, Minari."""

from .atif_reading import ImportReport, import_atif
from .dispatch import EXPORTS, FORMATS, ExportReport, export

__all__ = ["EXPORTS", "FORMATS", "ExportReport", "ImportReport", "export", "import_atif"]
