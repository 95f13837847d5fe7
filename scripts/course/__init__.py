"""The course's numbers, piece by piece; ``scripts/reproduce_course.py`` prints them."""
