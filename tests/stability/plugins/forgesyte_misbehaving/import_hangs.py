"""A module whose import does not come back."""

from .making import begin

begin()
while True:
    pass
