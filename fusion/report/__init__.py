"""The report of a model: one HTML page that a person can read without a network."""

from fusion.report.writing import write_report

__all__ = ["write_report"]
