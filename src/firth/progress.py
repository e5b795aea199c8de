"""Progress of long work: a bar on a terminal, log lines elsewhere."""
