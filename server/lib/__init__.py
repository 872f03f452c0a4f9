"""What could stand on PyPI by itself: nothing in here knows of leads."""
