"""Make, read and check rows to train on."""
