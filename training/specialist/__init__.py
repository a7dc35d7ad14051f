"""Training of workers, and the rows to train them on."""
