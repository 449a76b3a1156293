"""`make mutants`: bugs planted one by one into a copy of the shop, which the campaign must find.

A check that cannot fail is a defect. A mutant is a small change of the sources that a tired engineer could make.
docs/mutants.md says how many are found, and explains those that are not.
"""
