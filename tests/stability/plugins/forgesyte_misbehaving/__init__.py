"""Plugins that misbehave on demand, for tests alone: one entry point a fault, so that no fault hides the next.

A fault is a function; `faulty` makes the plugin around it. The modules are named for what goes wrong. Whatever could
hurt the machine that runs the tests is bounded by the fault itself (a fork bomb of some hundred, a gigabyte of files).
"""
