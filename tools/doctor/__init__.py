"""`make doctor`: what an AWS account still lacks before the shop is deployed to it, and what to do about it.

`rules.py` judges, `reading.py` reads, `checks.py` pairs the two. Nothing here changes anything.
"""
