"""HTML pages and statistics that the experiments share."""
