"""Experience in the forms that others read: Parquet, chat and prompt-completion JSON lines, ATIF, Minari."""

from .dispatch import FORMATS, ExportReport, export, writer

__all__ = ["FORMATS", "ExportReport", "export", "writer"]
