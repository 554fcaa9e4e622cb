"""Labelling reasoning steps by what becomes of solutions that go on from them."""
