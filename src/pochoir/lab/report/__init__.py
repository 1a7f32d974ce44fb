"""The report: weight sweeps and segmenters compared, as pages."""
