"""Run experiments that only measure a technique."""
