"""Populations of answers, each written from some of the population before it."""
